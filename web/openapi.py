"""Writes the description of the doors into the file from which the screens get their types."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from web.app import create_app
from web.description import described

FILE = Path(__file__).resolve().parent / "ui" / "openapi.json"


def text() -> str:
    """The document as it stands in the file."""
    document = described(create_app())
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")
