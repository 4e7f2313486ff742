// What is kept in this browser under a key, as JSON; without room or permission pages do without.
export function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) || {};
  } catch {
    return {};
  }
}

// Keeps a value; none is forgotten.
export function keep(key, value) {
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
  } catch { /* what is on the page stays there */ }
}
