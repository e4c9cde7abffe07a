"""Both languages of the citizen pages say the same things, and every page finds its words."""

from __future__ import annotations

import json
import re
from string import Formatter

import pytest

from web.pages.texts import FOLDER, LANGUAGES, texts

_USED = re.compile(r"""\bt\(\s*["']([a-z0-9_.]+)["']""")
_PAGES = FOLDER.parent


def _raw(language: str) -> dict[str, str]:
    loaded = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def _values(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    assert list(_raw("id")) == list(_raw("en"))


@pytest.mark.parametrize("key", sorted(_raw("id")))
def test_both_languages_use_the_same_values(key: str) -> None:
    assert _values(_raw("id")[key]) == _values(_raw("en")[key])
    assert _raw("id")[key].strip()
    assert _raw("en")[key].strip()


def test_every_key_that_a_page_asks_for_exists() -> None:
    sources = [*_PAGES.glob("templates/*.html"), *_PAGES.glob("*.py")]
    used = {key for path in sources for key in _USED.findall(path.read_text(encoding="utf-8"))}
    assert used
    assert used - set(_raw("id")) == set()


def test_an_unknown_key_is_an_error_not_an_empty_page() -> None:
    for language in LANGUAGES:
        with pytest.raises(KeyError):
            texts(language)("no.such.key")
