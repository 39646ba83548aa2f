"""Preference pairs and questions for reinforcement learning, from the files of a project to the files of the sets."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from am_assets_tests.commands import am, applied, planned
from am_assets_tests.counted import TASTE, Models, small_project
from am_assets_tests.desk import HELD_OUT, Desk, at_desk

pytestmark = pytest.mark.slow
SETS = "+preference_dataset or +rl_dataset"
PAPER = "<think>So.</think> <answer>{}</answer>"
CODE = PAPER.format("```python\ndef double(n):\n    return {}\n```")
SUM, TASK, OPEN = "What is 12 plus 7?", "Write a Python function `double(n)`: twice n.", "Why do leaves turn yellow?"
CONTAMINATED = HELD_OUT[0]
PUBLISHED = [
    *({"question": SUM, "reference_answer": "19", "response": PAPER.format(said)}
      for said in ("\\boxed{19}", "\\boxed{20}", "It is \\boxed{21}", "\\boxed{19}. Wait, that is wrong.")),
    *({"question": TASK, "test_code": "assert double(2) == 4", "response": CODE.format(said)}
      for said in ("2 * n", "n + 1")),
    *({"question": OPEN, "response": PAPER.format(said)} for said in ("The green goes.", "Autumn.")),
    *({"question": CONTAMINATED[0], "reference_answer": CONTAMINATED[1], "response": PAPER.format(f"\\boxed{{{said}}}")}
      for said in ("32", "33")),
    {"question": "A boy of 9 eats 4 figs. How many?", "reference_answer": "4", "response": PAPER.format("\\boxed{4}")},
    {"question": "Add forty and two.", "reference_answer": "42", "response": "The sum is 42."},
    {"question": SUM, "reference_answer": "19", "response": ["", PAPER.format("\\boxed{19}"), None, " \n"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A project of published responses, right and wrong ones, applied as far as both sets."""
    desk = small_project(tmp_path_factory.mktemp("sets") / "project", models, questions=1, shards=1, start_timeout=120)
    desk.rows("published", PUBLISHED)
    desk.write("sources.yaml", {"published": {**desk.source("published", 0), "license": "mit"}})
    desk.recipe("plain", {**TASTE, "verification": {"accept": "best", "min_pass_rate": 0}})
    with pytest.MonkeyPatch.context() as patch:
        at_desk(desk.folder, models, patch)
        assert set(applied(desk, "-s", SETS).values()) == {"done"}
        yield desk


def rows(desk: Desk, asset: str) -> pl.DataFrame:
    return pl.read_parquet(desk.folder / "assets" / asset / "plain.parquet")


def said(table: pl.DataFrame, side: str) -> list[str]:
    return sorted(chat[0]["content"] for chat in table[side].to_list())


def metadata(desk: Desk, asset: str) -> dict[str, int]:
    import dagster as dg

    with desk.instance() as instance:
        record = instance.get_latest_data_version_record(dg.AssetKey(asset), False, "plain")
        return record.asset_materialization.metadata["questions"].value


def files(desk: Desk, asset: str) -> set[str]:
    folder: Path = desk.folder / "assets" / asset / "plain"
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_right_and_wrong_responses_become_pairs(desk: Desk) -> None:
    pairs = rows(desk, "preference_dataset")
    assert said(pairs, "prompt") == sorted([SUM, TASK])
    assert any("\\boxed{19}" in text for text in said(pairs, "chosen"))
    assert any("return n + 1" in text for text in said(pairs, "rejected"))
    assert sorted(pairs["rejected_because"].to_list()) == ["failed_tests", "wrong_answer"]
    assert pairs["license"].unique().to_list() == ["mit"]
    # the open one has two responses of one reward, and one sum has a response that can't be read
    assert metadata(desk, "preference_dataset") == {
        "no_chosen": 1, "no_rejected": 2, "min_reward_gap": 0, "max_length_ratio": 0, "paired": 2,
    }  # fmt: skip
    assert files(desk, "preference_dataset") == {"README.md", "data/train-00000.parquet"}


def test_an_empty_text_in_a_list_of_responses_is_dropped_with_a_reason_and_moves_no_other(desk: Desk) -> None:
    shard = pl.read_parquet(desk.folder / "assets" / "responses" / "published.parquet")
    (empty,) = shard.filter(response="")["response_id"]  # the three of them are one, like others of the same text
    assert empty in rows(desk, "verified_set").filter(drop_reason="malformed")["response_id"].to_list()
    assert "malformed" in am(desk, "explain", empty).stdout
    said = shard.filter(pl.col("question_id") == shard.filter(response="")["question_id"].item())
    assert said.filter(response="")["sample_index"].item() == said.height - 1


def test_questions_with_a_check_become_rows_with_a_pass_rate(desk: Desk) -> None:
    table = rows(desk, "rl_dataset")
    found = {row["prompt"][0]["content"]: (row["passes"], row["attempts"]) for row in table.to_dicts()}
    assert found[SUM] == (1, 4)  # an empty one too; one more takes its answer back and is unverifiable
    assert found[TASK] == (1, 2)
    assert found["A boy of 9 eats 4 figs. How many?"] == (1, 1)
    assert OPEN not in found
    assert table.filter(pl.col("test_cases").is_not_null())["verifiers"].to_list() == [["code"]]
    assert files(desk, "rl_dataset") == {
        "README.md",
        *(f"data/{name}-00000.parquet" for name in ("trl", "verl", "openrlhf")),
    }


def test_a_question_of_a_benchmark_is_in_neither(desk: Desk) -> None:
    assert CONTAMINATED[0] in {row["question"] for row in PUBLISHED}
    for asset in ("preference_dataset", "rl_dataset"):
        assert CONTAMINATED[0] not in said(rows(desk, asset), "prompt")


def test_an_edited_threshold_makes_its_own_set_anew_and_asks_nothing(desk: Desk, models: Models) -> None:
    asked = sum(map(len, models.asked().values()))
    desk.edit("plain", "preference", pairs=None)
    assert set(planned(desk, "-s", SETS)) == {("preference_policy", "plain"), ("preference_dataset", "plain")}
    assert set(applied(desk, "-s", SETS).values()) == {"done"}
    assert len(rows(desk, "preference_dataset")) == 3  # the sum has two wrong responses
    desk.edit("plain", "rl", max_pass_rate=0.5)
    assert set(applied(desk, "-s", SETS)) == {("rl_policy", "plain"), ("rl_dataset", "plain")}
    prompts = said(rows(desk, "rl_dataset"), "prompt")
    assert {SUM, TASK} <= set(prompts)
    assert "A boy of 9 eats 4 figs. How many?" not in prompts
    assert planned(desk, "-s", SETS) == {}
    assert sum(map(len, models.asked().values())) == asked


def test_a_recipe_may_have_no_pairs_and_the_check_says_how_many_have(desk: Desk) -> None:
    import dagster as dg

    desk.edit("plain", "preference", reject=["broken_constraints"], min_paired=0.1)
    assert set(applied(desk, "-s", SETS).values()) == {"done"}
    assert rows(desk, "preference_dataset").is_empty()
    check = dg.AssetCheckKey(dg.AssetKey("preference_dataset"), "questions_paired")
    with desk.instance() as instance:
        last, *earlier = instance.event_log_storage.get_asset_check_execution_history(check, limit=20)
    found, before = (one.event.asset_check_evaluation for one in (last, earlier[0]))
    assert (found.passed, found.severity.value, found.metadata["paired_share"].value) == (False, "WARN", 0)
    assert (before.passed, before.metadata["paired_share"].value) == (True, pytest.approx(2 / 5))
