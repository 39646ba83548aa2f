"""A verifier is one module: it is found by itself, and its asset, its evidence and its drops follow from it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from am_assets.config.vocabulary import RESPONSE_DROPS
from am_assets.verification.verifiers import VERIFIERS, applicable, module_of
from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.verification.verifiers.lists import PAGE, written

ROOT = Path(__file__).parents[3]
# Runs in the same process, so it is no model for one whose queries come from a teacher.
SQL = '''
"""Whether the query of an answer returns what the tests of its question expect."""

import json
import re
import sqlite3

import dataframely as dy
import polars as pl

from am_assets.config.vocabulary import VERDICTS
from am_assets.verification.verifiers.base import Verdicts, Verifier

MEASURED = pl.Schema({name: pl.String for name in ("key", "verdict", "reason", "rows")})
VERSION = "1"


class SqlVerdicts(Verdicts):
    rows = dy.String(description="what the query returned, as JSON")


def verify(jobs, limits):
    for key, answer, tests in jobs.select("key", "answer", "test_cases").iter_rows():
        schema, _, expected = json.loads(tests)["test_code"].partition("-- returns ")
        database = sqlite3.connect(":memory:")
        database.executescript(schema)
        rows = json.dumps(database.execute(re.search("SELECT.*", answer)[0]).fetchall())
        verdict = ("pass", "equal") if rows == expected else ("fail", "other rows")
        yield pl.DataFrame([(key, *verdict, rows)], MEASURED, orient="row")


VERIFIER = Verifier(
    name="sql",
    doc="Whether the query of the answer returns the rows that the question expects.",
    version=VERSION,
    questions=pl.col("test_cases").str.contains("-- returns ", literal=True).fill_null(False),
    against="test_cases",
    precedence=5,
    verify=verify,
    measured=MEASURED,
    columns=SqlVerdicts,
    lineage={"verdict reason rows": "response_features.answer raw_pool.test_cases"},
    section="code",
    drop_reason="failed_tests",
)
'''
TESTS = "CREATE TABLE pears (n INT); INSERT INTO pears VALUES (3), (4);\n-- returns [[7]]"
QUERIES = [
    ("Sum up the pears in the table by SQL.", "<think>Add.</think> <answer>SELECT sum(n) FROM pears</answer>"),
    ("Count the pears of all rows by a query.", "<think>Rows.</think> <answer>SELECT count(*) FROM pears</answer>"),
]


@pytest.mark.parametrize("name", VERIFIERS)
def test_an_entry_is_complete(name: str) -> None:
    verifier = VERIFIERS[name]
    assert module_of(verifier).VERIFIER is verifier and verifier.version == module_of(verifier).VERSION
    assert verifier.drop_reason in RESPONSE_DROPS and verifier.doc.endswith(".")
    assert {*verifier.decides_on} < {*verifier.columns.column_names()}
    assert verifier.column("verdict") == f"{name}_verdict" and verifier.table.endswith("_verdicts")


def test_of_the_verifiers_of_a_question_one_decides_and_others_count_beside_it() -> None:
    questions = pl.DataFrame(
        {"reference_answer": ["4", "4", None, None], "test_cases": [None, "{}", "{}", None], "constraints": "[]"}
    )
    told = questions.select(**applicable())
    assert told.to_dict(as_series=False) == {
        "code": [False, True, True, False],
        "math": [True, False, False, False],
        "instructions": [True] * 4,
    }


def test_the_list_of_verifiers_is_that_of_the_registry() -> None:
    assert PAGE.read_text() == written(), "python -m am_assets_tests.verification.verifiers.lists"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    models = Models()
    desk = small_project(tmp_path / "project", models, questions=2, shards=1, start_timeout=120)
    at_desk(desk.folder, models, monkeypatch)
    desk.add_source("queries", [{"question": text, "test_code": TESTS, "response": said} for text, said in QUERIES])
    desk.edit("plain", "verification", accept="best")
    yield desk
    models.stop()


@pytest.mark.slow
def test_a_new_module_is_a_verifier_from_its_asset_to_the_reason_of_a_drop(desk: Desk, tmp_path: Path) -> None:
    """By a copy of the package with one file more."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "am_assets", tmp_path / "site" / "am_assets", ignore=ignored)
    (tmp_path / "site" / "am_assets" / "verification" / "verifiers" / "sql.py").write_text(SQL)

    def am(*arguments: str) -> str:
        command = [sys.executable, "-W", "ignore", "-m", "am_assets.cli", *arguments]
        env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
        ran = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    am("apply", "-r", "plain", "-s", "+verified_set")
    fates = pl.read_parquet(desk.folder / "assets" / "verified_set" / "plain.parquet").sort("kept")
    columns = ["evidence", "verdict", "drop_reason", "detail", "decided_by"]
    assert fates.filter(source="queries").select(columns).rows() == [
        ("sql", "fail", "failed_tests", "sql: other rows", "verification.accept"),
        ("sql", "pass", None, None, None),
    ]
    assert {*fates.filter(source="tasks")["evidence"]} == {"code"}
    assert "everything is up to date" in am("plan", "-r", "plain", "-s", "+verified_set")
    explained = json.loads(am("explain", QUERIES[1][0], "-r", "plain", "--json"))
    measured = [fact for part in explained["parts"] for fact in part["facts"] if fact.get("measured") == "sql_verdicts"]
    assert [fact["rows"] for fact in measured] == ["[[2]]"]
