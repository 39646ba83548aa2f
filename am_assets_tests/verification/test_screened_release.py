"""Screens through the user's door: a file of published responses, `am apply`, and what is told of those dropped."""

import json
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from am_assets_tests.commands import am, applied
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.scripted import Teacher, answer
from am_assets_tests.verification.screened import KEYS

RIGHT = "<think>12 + 7 = 19.{think}</think> <answer>\\boxed{{19}}{answer}</answer>"
CASES = {
    "none": ("What is 12 plus 7?", "", ""),
    "secret": ("Add twelve and seven; the tool needs a key.", "", f" export AWS={KEYS['aws']}"),
    "personal_data": ("Maria, maria.kowalska@gmail.com, has 12 pears and buys 7. How many?", "", ""),
    "self_naming": ("Sum 12 and 7 for me, whoever you are.", " I am DeepSeek-R1, so I can add.", ""),
    "cutoff_talk": ("How much is seven more than twelve?", "", " As of my knowledge cutoff in 2023 that holds."),
    "refusal": ("Twelve and seven together?", "", " I'm sorry, but I can't help with that."),
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = at_desk(tmp_path, SimpleNamespace(url=Teacher(lambda *_: answer("{}")).url), monkeypatch)
    rows = [
        {"question": question, "reference_answer": "19", "response": RIGHT.format(think=think, answer=said)}
        for question, think, said in CASES.values()
    ]
    desk.rows("published", rows)
    desk.write("sources.yaml", {"published": desk.source("published", 0)})
    desk.edit("plain", "dedup", threshold=1.0)
    desk.edit("plain", "sampling", decontamination={"benchmarks": []})
    desk.edit("plain", "verification", screens=["secret", "personal_data", "self_naming", "cutoff_talk", "refusal"])
    return desk


def fates(desk: Desk, recipe: str = "plain") -> dict[str, tuple[str | None, str | None, str | None]]:
    """(drop reason, detail, field) by case."""
    tables = desk.folder / "assets"
    pool = pl.read_parquet(tables / "raw_pool" / "published.parquet").select("question_id", "question")
    verified = pl.read_parquet(tables / "verified_set" / f"{recipe}.parquet").join(pool, on="question_id")
    of = {question: name for name, (question, *_) in CASES.items()}
    told = verified.select("question", "drop_reason", "detail", "decided_by").rows()
    return {of[question]: fate for question, *fate in told}


def shown(desk: Desk, *assets: str) -> str:
    """The samples of rows on the pages of assets."""
    import dagster as dg

    with desk.instance() as instance:
        events = [instance.get_latest_materialization_event(dg.AssetKey(asset)) for asset in assets]
    return "\n".join(event.asset_materialization.metadata["sample"].value for event in events)


@pytest.mark.slow
def test_published_responses_are_dropped_by_what_screens_find_and_told_why(desk: Desk) -> None:
    assert {*applied(desk, "-r", "plain", "-s", "+sft_dataset").values()} == {"done"}
    found = fates(desk)
    assert found.pop("none") == [None, None, None]
    assert {name: fate[0] for name, fate in found.items()} == {name: name for name in CASES if name != "none"}
    assert {fate[2] for fate in found.values()} == {"verification.screens"}
    assert found["secret"][1] == "AWS Access Key, 20 characters in the answer"
    assert found["personal_data"][1] == "mail address m…@g….com in the question"
    assert found["self_naming"][1] == "I am DeepSeek in the think"
    for table in ("response_screens/published", "verified_set/plain"):
        assert KEYS["aws"] not in str(pl.read_parquet(desk.folder / "assets" / f"{table}.parquet").to_dicts())
    samples = shown(desk, "raw_pool", "responses", "response_features")
    assert "export AWS=[secret]" in samples and "Maria, [personal data], has 12 pears" in samples
    assert KEYS["aws"] not in samples and "maria.kowalska" not in samples
    told = am(desk, "explain", CASES["self_naming"][0], "-r", "plain").stdout
    assert "dropped as self_naming by verification.screens" in told and "I am DeepSeek in the think" in told
    assert "response_screens" in told
    for name in ("secret", "personal_data"):
        said = am(desk, "explain", CASES[name][0], "-r", "plain", "--json").stdout
        assert json.loads(said) and KEYS["aws"] not in said


@pytest.mark.slow
def test_what_screens_found_is_measured_once_and_cut_as_each_recipe_says(desk: Desk) -> None:
    to_verified = ("-s", "+verified_set")
    applied(desk, "-r", "plain", *to_verified)
    desk.edit("other", "verification", screens=["refusal"], max_screened=0.5)
    outcomes = applied(desk, "-r", "other", *to_verified)
    assert not {asset for asset, _ in outcomes} & {"response_screens", "response_features", "responses"}
    cut = {name for name, (reason, *_) in fates(desk, "other").items() if reason}
    assert cut == {"refusal"}
    table = pl.read_parquet(desk.folder / "assets" / "verified_set" / "other.parquet")
    assert table["screens"].list.len().sum() == len(CASES) - 1
