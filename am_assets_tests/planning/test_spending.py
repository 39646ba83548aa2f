"""What a plan says it will cost, what a budget allows, and what the memo keeps: with the real embedded model at made-up
prices."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from am_assets.config.files import ConfigError
from am_assets.storage.copies import of
from am_assets.storage.memo import Memo
from am_assets_tests.desk import MODEL, Desk

pytestmark = [pytest.mark.model, pytest.mark.slow]
LABELS = "+question_labels"


@pytest.fixture
def priced(desk: Desk) -> Desk:
    """A desk where a request for a label costs about half a cent."""
    endpoints = yaml.safe_load((desk.folder / "endpoints.yaml").read_text())
    endpoints[MODEL] |= {"input_price": 5, "output_price": 50, "concurrency": 1}
    desk.write("endpoints.yaml", endpoints)
    return desk


def estimates(desk: Desk, select: str, *recipes: str) -> dict:
    """What the plan's steps would ask, by asset and partition."""
    steps = desk.open(list(recipes) or None, select).steps()

    from am_assets.planning.costs import Costs
    from am_assets.project import project
    from am_assets.storage.stored import StoredTables

    here = project()
    costs = Costs(here, StoredTables(here.assets), steps, recipes or list(here.recipes))
    return {(step.asset, step.partition): costs.of(step) for step in steps if costs.of(step)}


def test_before_anything_is_there_labels_are_counted_exactly_and_the_rest_at_most(priced: Desk) -> None:
    planned = estimates(priced, "+sft_dataset", "plain")
    assert [planned["question_labels", shard].requests for shard in ("sums", "tasks", "open", "asked")] == [5, 2, 2, 1]
    assert all(planned["question_labels", shard].exact for shard in ("sums", "asked"))
    asked = planned["responses", "asked"]
    assert (asked.requests, asked.exact, asked.completion_tokens) == (1, False, 24)
    assert asked.dollars == pytest.approx((asked.prompt_tokens * 5 + 24 * 50) / 1e6)
    assert planned["reward_scores", "open"].requests == 2
    assert any("its limit, as none is stored yet" in line for line in asked.basis)


def test_opinions_on_the_grey_zone_are_priced_and_asked_once_a_pair_and_order(priced: Desk) -> None:
    instruments = yaml.safe_load((priced.folder / "instruments.yaml").read_text())
    judge = {"model": MODEL, "floor": 0.05, "ceiling": 0.99}
    priced.write("instruments.yaml", {**instruments, "overlap": {"floor": 0.05, "confirm": judge}})
    first = estimates(priced, "+benchmark_overlap", "plain")["benchmark_overlap", "held_out"]
    assert (first.requests, first.exact) == (20, False)  # every question might be near an item
    priced.apply("plain", select="+benchmark_overlap")
    table = pl.read_parquet(priced.folder / "assets" / "benchmark_overlap" / "held_out.parquet")
    asked = Memo(priced.folder / "memo").known("confirmations").collect().height
    assert 0 < asked <= 20
    assert table["same"].count() + table["same_swapped"].count() <= asked
    priced.write(
        "instruments.yaml", {**instruments, "overlap": {"floor": 0.05, "confirm": {**judge, "max_tokens": 17}}}
    )
    again = estimates(priced, "+benchmark_overlap", "plain")["benchmark_overlap", "held_out"]
    assert (again.requests, again.exact) == (asked, True)


@pytest.mark.parametrize("ask", ["on_disagreement", "always"])
def test_second_opinions_on_answers_that_are_not_there_yet_are_counted_at_most(priced: Desk, ask: str) -> None:
    instruments = yaml.safe_load((priced.folder / "instruments.yaml").read_text())
    judge = {"model": MODEL, "ask": ask, "max_tokens": 20}
    priced.write("instruments.yaml", {**instruments, "math": {"opinion": judge}})
    planned = estimates(priced, "+math_verdicts", "plain")
    of = {shard: planned["math_verdicts", shard] for shard in ("sums", "tasks", "open", "asked")}
    assert {shard: estimate.requests for shard, estimate in of.items()} == {
        "sums": 5,
        "tasks": 0,
        "open": 0,
        "asked": 1,
    }
    assert not any(estimate.exact for estimate in of.values())
    assert of["sums"].completion_tokens == 5 * 20
    assert of["sums"].dollars == pytest.approx((of["sums"].prompt_tokens * 5 + 5 * 20 * 50) / 1e6)


def test_second_opinions_are_priced_asked_of_what_fails_and_change_no_verdict(priced: Desk) -> None:
    select = "+math_verdicts"
    priced.edit("plain", "sampling", decontamination={"benchmarks": []})
    before = priced.apply("plain", select=select)
    assert {outcome.result for outcome in before.values()} == {"done"}
    alone = pl.read_parquet(priced.folder / "assets" / "math_verdicts" / "sums.parquet")
    assert alone["judge"].null_count() == alone.height
    verified = Memo(priced.folder / "memo").known("math").collect().height
    instruments = yaml.safe_load((priced.folder / "instruments.yaml").read_text())
    priced.write("instruments.yaml", {**instruments, "math": {"opinion": {"model": MODEL}}})
    planned = estimates(priced, select, "plain")
    assert {asset for asset, _ in planned} == {"math_verdicts"}
    failing = planned["math_verdicts", "sums"]
    assert (failing.requests, failing.exact) == (1, True)  # of five answers one is wrong, and one has no answer part
    assert failing.dollars > 0
    priced.apply("plain", select=select)
    table = pl.read_parquet(priced.folder / "assets" / "math_verdicts" / "sums.parquet")
    assert table.drop("judge", "judged_equal", "judge_raw").equals(alone.drop("judge", "judged_equal", "judge_raw"))
    assert table.filter(pl.col("judge") == MODEL)["verdict"].cast(pl.String).to_list() == ["fail"]
    assert Memo(priced.folder / "memo").known("math").collect().height == verified  # none was verified again
    assert priced.plan("plain", select=select) == {}


def test_a_budget_stops_new_requests_keeps_what_came_and_the_next_apply_goes_on(priced: Desk, model_server) -> None:
    model_server.requests = 0
    ran = priced.apply("plain", select=LABELS, budget=0.022)
    assert ran["question_labels", "sums"].result == "failed"
    words = ran["question_labels", "sums"].error
    assert "The budget of $0.022" in words
    assert "of 5 requests answered and stored; the other" in words
    answered = Memo(priced.folder / "memo").known("labels").collect()
    assert 0 < answered.height < 5
    assert answered["cost"].sum() <= 0.022
    assert ran["raw_pool", "sums"].result == "done"
    again = priced.apply("plain", select=LABELS)
    assert {outcome.result for outcome in again.values()} == {"done"}
    assert model_server.requests >= 10  # each question once, and repairs of answers that were no label
    assert Memo(priced.folder / "memo").known("labels").collect()["key"].is_unique().all()


def test_the_second_plan_knows_what_is_stored_and_how_long_answers_were(priced: Desk) -> None:
    priced.apply("plain", select=LABELS)
    priced.add_source("more", [{"question": "What is 2 plus 2?"}, {"question": "What is 12 plus 7?"}])
    planned = estimates(priced, LABELS)
    more = planned["question_labels", "more"]
    assert set(planned) == {("question_labels", "more")}
    assert more.requests == 1  # the other question was labelled in another shard
    assert "the mean of 10 stored" in more.basis[0]


def test_an_answer_cut_off_is_asked_once_more_at_the_higher_limit_and_both_are_kept(desk: Desk) -> None:
    desk.edit("plain", "teacher", max_tokens=4, retry_max_tokens=48)
    desk.apply(select="+verified_set")
    requests = pl.read_parquet(desk.folder / "assets" / "teacher_requests" / "asked.parquet")
    limits = [json.loads(sampling)["max_tokens"] for sampling in requests.sort("after")["sampling"]]
    assert limits == [4, 48]
    responses = pl.read_parquet(desk.folder / "assets" / "responses" / "asked.parquet")
    assert responses.filter(pl.col("completion_tokens") == 4)["finish_reason"].to_list() == ["length"]
    assert responses.filter(pl.col("completion_tokens") > 4).height == 1
    verified = pl.read_parquet(desk.folder / "assets" / "verified_set" / "plain.parquet").filter(shard="asked")
    assert verified.height == 2
    assert "truncated" in verified["drop_reason"]


def test_pruning_waits_for_an_apply_then_removes_what_nobody_wants_and_nothing_else(desk: Desk) -> None:
    from am_assets.planning import upkeep

    desk.apply("plain", "other", select=LABELS)
    memo = Memo(desk.folder / "memo")
    before = memo.known("labels").collect().height
    sources = yaml.safe_load((desk.folder / "sources.yaml").read_text())
    del sources["open"]
    desk.write("sources.yaml", sources)
    with pytest.raises(ConfigError, match="nothing was pruned"):
        upkeep.prune(memo, desk.open(None, None))
    plan = desk.open(None, LABELS)
    assert dict(upkeep.holdings(memo, plan).select("namespace", "unwanted").rows())["labels"] == 2
    assert upkeep.prune(memo, plan) == {"labels": 2}
    assert memo.known("labels").collect().height == before - 2
    assert desk.plan(select=LABELS) == {}


def test_pruning_goes_on_where_screens_asked_nobody(applied: Desk) -> None:
    """With and without the note that nothing was asked, which earlier versions did not make; a user that made none of
    its notes is still waited for."""
    from am_assets.planning import upkeep

    memo, plan = Memo(applied.folder / "memo"), applied.open(None, "+sft_dataset")
    assert not any(upkeep.prune(memo, plan).values())
    [*notes] = (memo.folder / "unsafe" / "wanted").iterdir()
    assert len(notes) == 4 and not any(pl.read_parquet(path).height for path in notes)
    of(memo.folder).remove(notes)
    upkeep.prune(memo, plan)
    of(memo.folder).remove([memo.folder / "labels" / "wanted" / "question_labels.sums.parquet"])
    with pytest.raises(ConfigError, match=r"nothing was pruned: what question_labels.sums want"):
        upkeep.prune(memo, plan)


def test_one_answer_is_shown_in_full_in_the_terminal(desk: Desk, capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    from am_assets.cli.memo import _of_key
    from am_assets.cli.summary import show_measurement

    memo = Memo(tmp_path / "memo")
    memo.append(
        "responses", pl.DataFrame({"key": ["k1", "k23"], "text": ["forty-two\n" * 3, "no"], "cost": [0.5, 0.5]})
    )
    known = memo.known("responses")
    show_measurement(_of_key(known, "responses", "k1"))
    assert capsys.readouterr().out.count("forty-two") == 3
    assert _of_key(known, "responses", "k2")["text"].to_list() == ["no"]  # the beginning of a key suffices
    for unclear, several in (("k", 2), ("x", "no")):
        with pytest.raises(ConfigError, match=f"{several} keys of responses begin with {unclear}"):
            _of_key(known, "responses", unclear)
