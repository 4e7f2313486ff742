"""Every text of every page passes through the catalogue: in the marked language none is bare."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from opendeep_app.config import QPS
from tests.browser.test_accessibility import ROUTES
from tests.fixtures.stacks import Stack

EMAIL = "q@example.com"
#: Names, what is the same in every language, and what Reflex says to screen readers.
NAMES = ("OpenDeep", "CSV", "JSON", "POST /api/campaigns", EMAIL, "command line",
         "Notifications alt+T")  # fmt: skip
#: Elements with what somebody gave, and the practice line's people, who speak English.
GIVEN = "script, style, noscript, code, kbd, datalist, [data-testid=practice-person]"

#: Letters that are shown outside of brackets, with the element that they stand in. A sentence
#: may go on in other elements, so brackets are counted over all of the page.
BARE = """
([names, given]) => {
  const found = [], said = (text, where) => {
    for (const name of names) text = text.replaceAll(name, "");
    text = text.replace(/https:\\S+|\\b[a-z]+\\.[a-z]+\\b/g, "");
    if (/\\p{L}{2,}/u.test(text)) found.push(`${where}: ${text.trim()}`);
  };
  const outside = text => text.replace(/⟦[^⟦⟧]*⟧/g, "").replace(/⟦[^⟦⟧]*⟧/g, "");
  let depth = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent.closest(given)) continue;
    let bare = "";
    for (const one of node.data) {
      if (one === "⟦") depth += 1;
      else if (one === "⟧") depth -= 1;
      else if (depth === 0) bare += one;
    }
    if (parent.checkVisibility()) said(bare, parent.outerHTML.slice(0, 90));
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"])
    for (const each of document.querySelectorAll(`[${name}]:not(time)`))
      if (each.checkVisibility())
        said(outside(each.getAttribute(name)), `${name} of ${each.outerHTML.slice(0, 90)}`);
  said(outside(document.title), "title");
  return found;
}
"""


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """OpenDeep in nobody's language."""
    stack = Stack(tmp_path_factory.mktemp("marked") / "data", {"OPENDEEP_LANGUAGE": QPS})
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


async def bare(page: Page) -> list[str]:
    """The texts of a page that no catalogue was asked for."""
    found: list[str] = await page.evaluate(BARE, [NAMES, GIVEN])
    return found


@pytest.mark.timeout(300)
async def test_no_text_of_any_page_is_outside_the_catalogue(
    browser: Browser, marked: Stack
) -> None:
    marked.add_user(EMAIL)
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    await page.goto(f"{marked.web_url}/sign-in")
    await expect(page.get_by_role("button").first).to_be_visible()
    found = [f"/sign-in {text}" for text in await bare(page)]
    await page.goto(await marked.sign_in_link(EMAIL))
    await expect(page.get_by_test_id("pending-bell")).to_be_visible()
    for route in ROUTES:
        if "[" in route or route == "/sign-in":
            continue
        await page.goto(marked.web_url + route)
        await expect(page.locator("main")).to_be_visible()
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        found += [f"{route} {text}" for text in await bare(page)]
    found = sorted(set(found))
    assert not found, "\n".join(found)
    await context.close()
