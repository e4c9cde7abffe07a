"""`sigap audit`, as an administrator types it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from sqlalchemy import update

from dispatch.storage import tables
from geo.sql import writing
from tests.story.small_city import Stand, stand

ROOT = Path(__file__).parents[2]


def sigap(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIGAP_")}
    return subprocess.run(
        [sys.executable, "-c", "from web.cli import main; main()", *words],
        cwd=ROOT,
        env={**own, "SIGAP_DATA_DIR": str(folder), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def story(made: Stand) -> None:
    """A report is verified and sent; the crew accepts."""
    _, _, assignment_id = made.offered(made.staff("dispatcher"))
    assert made.crew().post(f"/assignments/{assignment_id}/acknowledge").status_code == 200


@pytest.mark.slow
def test_an_administrator_audits_a_city(tmp_path: Path) -> None:
    with stand(tmp_path) as made:
        story(made)
        # while it serves
        clean = sigap(tmp_path, "audit", "kota")
        assert (clean.returncode, clean.stderr) == (0, "")
        assert "1 assignments, 2 crews, 1 incidents, 1 referrals, 1 reports" in clean.stdout
        assert "The log is whole" in clean.stdout
        with writing(made.system.engine) as connection:
            connection.execute(update(tables.incident).values(note="x", priority=3))
    wrong = sigap(tmp_path, "audit", "kota")
    assert wrong.returncode == 1
    assert "is not what the log makes of it: priority, note" in wrong.stdout
    assert "1 things are not right" in wrong.stdout
    told = orjson.loads(sigap(tmp_path, "audit", "kota", "--json").stdout)
    assert (told["clean"], told["counts"]) == (False, {"rows": 1})


@pytest.mark.slow
def test_what_cannot_be_audited_is_told_in_a_sentence(tmp_path: Path) -> None:
    nothing = sigap(tmp_path, "audit", "kota")
    assert nothing.returncode == 1
    assert "This database is empty." in nothing.stderr
    with stand(tmp_path):
        pass
    unknown = sigap(tmp_path, "audit", "madiun")
    assert unknown.returncode == 1
    assert "There is no city “madiun” in this database; there is: kota, tetangga." in unknown.stderr
