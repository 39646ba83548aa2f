"""Questions answered in a terminal: plan, explain and diff, on a small project with the real embedded model."""

import json

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from am_assets_tests.desk import Desk

pytestmark = [pytest.mark.model, pytest.mark.slow]
WRONG = "Three shelves hold 8 books each. How many?"  # its published answer is 25


def am(desk: Desk, *arguments: str) -> str:
    desk.open(None, None)  # the folder as it is now
    from am_assets.cli import app

    ended = CliRunner(env={"COLUMNS": "300"}).invoke(app, arguments)
    assert ended.exit_code in (0, 2), ended.output + str(ended.exception)
    return ended.stdout or ended.stderr


def because(desk: Desk, *select: str) -> dict[tuple[str, str], str]:
    told = json.loads(am(desk, "plan", "--json", *select))
    return {(step["asset"], step["partition"]): step["because"] for step in told["steps"]}


def instruments(desk: Desk, **sections: dict) -> None:
    desk.write("instruments.yaml", {**yaml.safe_load((desk.folder / "instruments.yaml").read_text()), **sections})


def test_a_plan_names_the_field_that_changed_and_from_what_to_what(applied: Desk) -> None:
    applied.edit("other", "dedup", threshold=0.9)
    words = "dedup.threshold of recipe other changed from 0.95 to 0.90"
    told = because(applied, "-s", "+sft_dataset")
    assert told["dedup_policy", "other"] == told["deduped_set", "other"] == told["sft_dataset", "other"] == words
    assert ("deduped_set", "plain") not in told
    assert f"because {words}" in am(applied, "plan", "-s", "+sft_dataset")
    applied.apply(select="dedup_policy")
    assert because(applied, "-s", "+sft_dataset")["deduped_set", "other"] == words


def test_a_plan_names_what_changed_of_instruments_sources_and_shards(applied: Desk) -> None:
    instruments(applied, pairs={"floor": 0.7}, math={"timeout_seconds": 7})
    sources = yaml.safe_load((applied.folder / "sources.yaml").read_text())
    sources["sums"]["rank"] = 5
    applied.write("sources.yaml", sources)
    applied.rows("open", [{"question": "Why is the sky blue?"}])
    applied.add_source("more", [{"question": "What is 3 plus 30?", "reference_answer": "33"}])
    told = because(applied, "-s", "+sft_dataset")
    assert told["similar_pairs", "tasks"] == "pairs.floor of instruments.yaml changed from 0.8 to 0.7"
    assert told["math_verdicts", "tasks"] == "math.timeout_seconds of instruments.yaml changed from 5 to 7"
    assert ("raw_pool", "sums") not in told  # no question depends on the rank of its source
    rank = "rank of source sums in sources.yaml changed from 0 to 5"
    assert told["raw_pool", "open"] == "what source open reads changed"
    assert told["deduped_set", "plain"].startswith(f"pairs.floor of instruments.yaml changed from 0.8 to 0.7; {rank}; ")
    assert told["deduped_set", "plain"].endswith("more was added to sources.yaml")


def test_the_rank_of_a_source_reaches_the_decision_that_it_is_for_and_no_other_table(applied: Desk) -> None:
    sources = yaml.safe_load((applied.folder / "sources.yaml").read_text())
    sources["sums"]["rank"] = 5
    applied.write("sources.yaml", sources)
    told = because(applied, "-s", "deduped_set or raw_pool")
    rank = "rank of source sums in sources.yaml changed from 0 to 5"
    assert told == {("deduped_set", "other"): rank, ("deduped_set", "plain"): rank}


def test_an_explanation_tells_the_whole_way_and_the_line_that_decided(applied: Desk) -> None:
    told = am(applied, "explain", WRONG, "-r", "other")
    assert "shard: sums, source: sums" in told
    assert "kept under dedup.threshold: 0.95 of recipe other (" in told
    assert "recipes/plain.yaml, which other extends" in told
    assert "dropped as wrong_answer by verification.accept: best of recipe other (by default): math: " in told
    as_json = json.loads(am(applied, "explain", WRONG, "-r", "other", "--json"))
    parts = {part["name"].split()[0]: part for part in as_json["parts"]}
    assert [parts["deduplication"]["decision"]["kept"], parts["response"]["decision"]["kept"]] == [True, False]
    assert as_json["outdated"] == []
    by_id = json.loads(am(applied, "explain", as_json["question_id"][:12], "-r", "other", "--json"))
    assert by_id == as_json


def test_an_explanation_says_what_is_out_of_date_and_what_the_file_says_by_now(applied: Desk) -> None:
    applied.edit("plain", "dedup", threshold=0.99)
    told = am(applied, "explain", WRONG, "-r", "plain")
    assert "dedup.threshold: 0.95 of recipe plain (" in told
    assert "the file says 0.99 now" in told
    assert "out of date, because dedup.threshold of recipe plain changed from 0.95 to 0.99: dedup_policy[plain]" in told


def test_an_unknown_question_is_told_with_what_comes_near_it(applied: Desk) -> None:
    told = am(applied, "explain", "Three shelves hold 8 books. How many?", "-r", "plain")
    assert "no shard holds the question" in told
    assert WRONG in told


def test_a_difference_counts_every_row_that_one_has_alone_and_names_the_field(applied: Desk) -> None:
    rates = {"math/easy": 0, "others": 0, "unlabelled": 0, "math": 0}
    applied.edit("other", "sampling", rates=rates)
    applied.apply(select="+sft_dataset")
    told = json.loads(am(applied, "diff", "-r", "plain", "-r", "other", "--json", "--rows", "3"))
    kept = {
        name: pl.read_parquet(applied.folder / "assets" / "selected_questions" / f"{name}.parquet").filter("kept")
        for name in ("plain", "other")
    }
    one, other = told["questions"]["sides"]
    assert told["questions"]["both"] + one["rows"] == kept["plain"].height
    assert told["questions"]["both"] + other["rows"] == kept["other"].height
    for reason in one["reasons"]:
        assert reason["reason"] == "downsampled"
        assert set(reason["fields"]) <= {
            f"sampling.rates.{name}" for name in ("math/easy", "others", "unlabelled", "math")
        }
    assert len(one["examples"]) == min(3, one["rows"])
    assert {"sampling.rates.math", "verification.min_reward"} <= {field["field"] for field in told["fields"]}
    assert "Questions: " in am(applied, "diff", "-r", "plain", "-r", "other")
    dropped = one["examples"][0]["id"]
    explained = json.loads(am(applied, "explain", dropped, "-r", "other", "--json"))
    (decision,) = (part["decision"] for part in explained["parts"] if part["name"] == "selection")
    fields = {line["field"]: line["value"] for line in decision["lines"]}
    assert decision["why"] == "downsampled"
    assert fields and fields == {f"sampling.rates.{name}": 0 for name in rates if f"sampling.rates.{name}" in fields}
