"""A better reading of traces mends what was paid for: stored answers are read anew, and nothing is asked."""

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets.distillation import parts
from am_assets_tests.commands import am, applied
from am_assets_tests.desk import at_desk
from am_assets_tests.scripted import Teacher, answer

FEATURES = ("-r", "plain", "-s", "+response_features")


@pytest.mark.slow
def test_answers_that_an_earlier_version_stored_are_read_anew_without_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Teacher(lambda *_: answer("9 and 4 is 13.\n</think>\n\nHe has \\boxed{13}.<|im_end|>"))
    desk = at_desk(tmp_path, SimpleNamespace(url=server.url), monkeypatch)
    assert {*applied(desk, *FEATURES).values()} == {"done"}
    for path in (tmp_path / "memo" / "responses").glob("*.parquet"):
        pl.read_parquet(path).drop("message").write_parquet(path)  # as it was stored before
    asked = len(server.bodies)
    monkeypatch.setattr(parts, "VERSION", "next")
    outcomes = applied(desk, *FEATURES)
    assert {*outcomes.values()} == {"done"} and ("responses", "asked") in outcomes
    features = pl.read_parquet(tmp_path / "assets" / "response_features" / "asked.parquet")
    assert features.select("answer", "well_formed").rows() == [("He has \\boxed{13}.", True)]
    assert len(server.bodies) == asked
    assert "1 answer stored by an earlier version, without the provider's message" in am(desk, "memo").stdout
    responses = tmp_path / "assets" / "responses"
    (responses / "gone.parquet").write_bytes((responses / "asked.parquet").read_bytes())  # of a source that is no more
    taken = {(row["kind"], row["name"]): row for row in json.loads(am(desk, "memo", "--disk", "--json").stdout)}
    stored = {path.stem: path.stat().st_size for path in responses.iterdir()}
    assert taken["table", "responses"] == {
        "kind": "table", "name": "responses", "files": len(stored), "bytes": sum(stored.values()),
        "removable": stored["gone"],
    }  # fmt: skip
    assert taken["memo", "responses"]["bytes"] > 0 and taken["memo", "responses"]["removable"] == 0
    server.stop()


@pytest.mark.slow
def test_an_interrupted_answer_that_an_earlier_version_stored_is_planned_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Teacher(lambda *_: answer("<think>9 and 4.</think>\\boxed{13}"))
    desk = at_desk(tmp_path, SimpleNamespace(url=server.url), monkeypatch)
    applied(desk, *FEATURES)
    for path in (tmp_path / "memo" / "responses").glob("*.parquet"):
        stored = pl.read_parquet(path).with_columns(text=pl.lit("<think>9 a"), finish_reason=pl.lit("error"))
        stored.drop("message").write_parquet(path)
    monkeypatch.setattr(parts, "VERSION", "next")
    assert "1 answer cut off by an interrupt" in am(desk, "memo").stdout
    asked = len(server.bodies)
    applied(desk, *FEATURES)
    assert len(server.bodies) == asked + 1
    features = pl.read_parquet(tmp_path / "assets" / "response_features" / "asked.parquet")
    assert features["well_formed"].to_list() == [True]
    server.stop()
