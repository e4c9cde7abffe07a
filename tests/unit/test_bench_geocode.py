"""The questions that measure the geocoder: independent of its rules, repeatable, and hard."""

import ast
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import web.robots.place_words as place_words
from geo.gazetteer import Gazetteer
from geo.gazetteer_match import Fit
from geo.gazetteer_sure import WEIGHTS, Evidence, confidence, features
from geo.geocoding import ACCEPT
from tests.bench.fit_geocode import FIRST_SEED
from tests.unit import test_geo_gazetteer
from web.cli.bench_geocode import Answer, figures, plain_fts5, threshold
from web.robots.place_questions import ABSENT, PRESENT, Question, plain, questions
from web.robots.place_words import Writer

path = test_geo_gazetteer.path
"""The little city whose every street is known."""


def test_the_habits_of_writing_know_nothing_of_the_rules_of_reading() -> None:
    tree = ast.parse(Path(place_words.__file__).read_text(encoding="utf-8"))
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    assert modules == {"__future__", "random", "re", "collections.abc"}


def test_the_same_seed_asks_the_same(path: Path, tmp_path: Path) -> None:
    asked = []
    for n in range(2):
        copy = tmp_path / f"{n}.sqlite3"
        shutil.copyfile(path, copy)
        asked.append([(q.kind, q.text) for q in questions(copy, seed=5, count=60)])
    assert asked[0] == asked[1]
    assert {kind for kind, _ in asked[0]} & set(PRESENT)
    assert {kind for kind, _ in asked[0]} & set(ABSENT)


def test_names_held_back_are_gone(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    shutil.copyfile(path, copy)
    held = [q for q in questions(copy, seed=5, count=60) if q.kind == "held_back"]
    assert held
    gazetteer = Gazetteer.open(copy)
    for question in held:
        found = gazetteer.search(question.text)
        assert all(c.label.split(",")[0].lower() not in question.text.lower() for c in found)
    gazetteer.close()


def test_two_spellings_of_a_number_are_one_name() -> None:
    assert plain("Jalan Palem III") == plain("Palem 3") != plain("Palem 4")


def test_a_writer_repeats_themself() -> None:
    texts = [Writer(random.Random(3)).street("Jalan Taman Raya Timur 4") for _ in range(2)]
    assert texts[0] == texts[1]


def test_plain_search_finds_a_plain_name(path: Path) -> None:
    search = plain_fts5(path)
    assert search("Kartini")
    assert search('"; drop table') == []


def _answer(kind: str, *, present: bool, rank: int | None, sure: float) -> Answer:
    return Answer(Question(kind, "x", None, present), rank, sure, 1.0, 1.0)


def test_the_threshold_keeps_nine_of_ten_and_counts_what_it_lets_in() -> None:
    right = [_answer("street", present=True, rank=0, sure=0.1 * n) for n in range(1, 11)]
    wrong = [_answer("street", present=True, rank=None, sure=0.99)]
    absent = [_answer("held_back", present=False, rank=None, sure=s) for s in (0.1, 0.15, 0.2, 0.9)]
    assert threshold([*right, *wrong, *absent]) == pytest.approx(0.2)
    all_ = figures([*right, *wrong, *absent])
    assert all_["hit_at_1"] == pytest.approx(10 / 11, abs=1e-3)
    assert all_["accepted_keeping_90"] == 0.5


def test_the_coefficients_say_how_they_were_fitted() -> None:
    import geo

    about = json.loads((Path(geo.__file__).parent / "gazetteer_sure.json").read_text("utf-8"))
    assert min(about["seeds"]) >= FIRST_SEED
    exact = Evidence(Fit(1.0, 1.0, 1.0, 1.0, letters=1.0), "street", 0.0, 0.2, 0, False)
    assert set(features(exact)) == set(WEIGHTS)
    assert confidence(exact) > ACCEPT


def test_what_speaks_against_a_place_lowers_its_chance() -> None:
    good = Fit(1.0, 1.0, 1.0, 1.0, letters=1.0)
    exact = confidence(Evidence(good, "street", 0.0, 0.1, 0, False))
    for worse in (
        replace(good, numbers=1.0),
        replace(good, other_side=True),
        replace(good, query_covered=0.5, name_covered=0.5, letters=0.5),
    ):
        assert confidence(Evidence(worse, "street", 0.0, 0.1, 0, False)) < exact - 0.1


def test_namesakes_and_other_wards_lower_it_too() -> None:
    fit = Fit(1.0, 1.0, 1.0, 1.0, letters=1.0)
    alone = confidence(Evidence(fit, "street", 0.0, 0.1, 0, False))
    assert confidence(Evidence(fit, "street", 0.0, 0.0, 3, False)) < ACCEPT < alone
    assert confidence(Evidence(fit, "street", -1.0, 0.1, 0, False)) < alone
    assert confidence(Evidence(fit, "street", 0.0, 0.1, 0, False, notes=("no_crossing",))) < 0.1
