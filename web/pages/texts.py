"""Every sentence of the citizen pages, Indonesian first, English second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from geo.gazetteer_phrase import translated
from web.sentences import Language

FOLDER = Path(__file__).parent / "texts"
LANGUAGES: tuple[Language, ...] = ("id", "en")


class Texts:
    """The sentences of one language: `texts("form.send")`, `texts("home.title", city="Madiun")`."""

    def __init__(self, language: Language, sentences: Mapping[str, str]) -> None:
        self.language = language
        self._sentences = sentences

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence with its values filled in. Raises KeyError for an unknown key or value."""
        return self._sentences[key].format_map(values)

    def find(self, key: str, default: str) -> str:
        """The sentence, or `default` for what a city named itself and nobody translated."""
        return self._sentences.get(key, default)

    def for_scripts(self, *beginnings: str) -> str:
        """The sentences that a page's script says itself, as JSON: those whose key begins so."""
        keys = (key for key in self._sentences if key.startswith(("time.", *beginnings)))
        return json.dumps({key: self._sentences[key] for key in keys}, ensure_ascii=False)

    def name(self, thing: object) -> str:
        """The name of a service, agency or choice of the policy in this language."""
        name: str = getattr(thing, "name")  # noqa: B009 - any named thing of a policy
        english: str = getattr(thing, "name_en", "")
        return english or name if self.language == "en" else name

    def place(self, phrase: str | None) -> str | None:
        """A place in words, which the log keeps in Indonesian, for this reader."""
        return translated(phrase, self.language) if phrase else phrase


@cache
def texts(language: Language) -> Texts:
    """The sentences of a language, read once."""
    return Texts(language, json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")))
