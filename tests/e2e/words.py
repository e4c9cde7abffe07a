"""What the screens say, by message name, so that tests press what a person reads."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = ("id", "en")
WEB = Path(__file__).resolve().parents[2] / "web"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# A name that stands where its words should: `crew_step_clear`, `track.state_closed`.
RAW = re.compile(r"[a-z]+(_[a-z0-9]+)+|[a-z]+\.[a-z]+(_[a-z0-9]+)*")


@cache
def messages(language: Language) -> dict[str, str]:
    """Every text of the screens and of the citizen's pages in one language."""
    screens = sorted((WEB / "ui" / "messages").glob(f"*{language}.json"))
    found: dict[str, str] = {}
    for path in [*screens, WEB / "pages" / "texts" / f"{language}.json"]:
        texts = json.loads(path.read_text("utf-8"))
        found |= {name: text for name, text in texts.items() if isinstance(text, str)}
    return found


def say(name: str, language: Language = "id", **values: object) -> str:
    """The words of one message."""
    return PLACEHOLDER.sub(lambda part: str(values[part[1]]), messages(language)[name])


def like(name: str, language: Language = "id") -> re.Pattern[str]:
    """A message with anything where its values stand."""
    parts = PLACEHOLDER.split(messages(language)[name])[::2]
    return re.compile(".+".join(re.escape(part) for part in parts))


@cache
def only_in(language: Language) -> frozenset[str]:
    """Whole texts of this language that mean nothing in the other: they must not show there."""
    other = messages("en" if language == "id" else "id")
    own = messages(language)
    shared = {text.casefold() for text in other.values()}
    return frozenset(
        text.casefold()
        for name, text in own.items()
        if name in other and "{" not in text and text.casefold() not in shared
    )
