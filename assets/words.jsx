// What people read, in the installation's language (see opendeep_app/words.py); `{name}` stands
// for the value of that name.
export const _ = (text, values = {}) => (globalThis.words?.[text] ?? text).replace(/\{(\w+)\}/g, (name, key) => values[key] ?? name);
