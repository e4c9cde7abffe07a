"""Looks at a screen as a critic does: nothing inaccessible, no raw names, no mixed languages."""

import re
from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.words import RAW, Language, only_in

AXE = Path(__file__).resolve().parents[2] / "web/ui/node_modules/axe-core/axe.min.js"
# A ticket, an address or a person's name is the same in every language; so is the switch to it.
NOT_WORDS = re.compile(r"[\W\d]*|id|en|sigap", re.IGNORECASE)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
VISIBLE_TEXTS = """() => {
  // The library's own labels keep the language the map was opened in, the map's credit its own.
  const PASSED_OVER = "template, script, style, .maplibregl-map";
  const texts = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!element || element.closest(PASSED_OVER)) continue;
    if (element.checkVisibility({ visibilityProperty: true }))
      texts.add(walk.currentNode.textContent.trim());
  }
  for (const name of ["aria-label", "title", "placeholder"])
    for (const element of document.querySelectorAll(`[${name}]`))
      if (!element.closest(`svg, abbr, ${PASSED_OVER}`)) texts.add(element.getAttribute(name));
  return [...texts];
}"""
RUN_AXE = """async (rules) => {
  // Colours on their way from light to dark are nobody's colours.
  for (const each of document.getAnimations())
    if (each.effect?.getComputedTiming().endTime !== Infinity) each.finish();
  const found = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return found.violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.map(({ target, any }) =>
      `${target} ${any.map((each) => each.message).join(" ")}`).join(" | ")}`);
}"""


@cache
def axe() -> str:
    return AXE.read_text("utf-8")


def violations(page: Page) -> list[str]:
    """What axe finds wrong now, a sentence each."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(axe())
    found: list[str] = page.evaluate(RUN_AXE, RULES)
    return found


def wrong_words(page: Page, language: Language) -> list[str]:
    """Visible texts that are a message's name or speak the other language."""
    texts: list[str] = page.evaluate(VISIBLE_TEXTS)
    foreign = only_in("en" if language == "id" else "id")
    return [
        text
        for text in texts
        if RAW.fullmatch(text) or (text.casefold() in foreign and not NOT_WORDS.fullmatch(text))
    ]
