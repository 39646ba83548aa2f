"""The published benchmarks by name, from files in their own forms through `am apply` to a verdict on each answer."""

import base64
import gzip
import json
import os
import pickle
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from am_assets.config.evaluation import EvaluationPolicy
from am_assets.evaluation import asking
from am_assets.storage.schemas import TABLES
from am_assets_tests.commands import am, applied
from am_assets_tests.desk import Desk, at_desk
from am_assets_tests.evaluation import published_items
from am_assets_tests.evaluation.published_items import ROWS, answered
from am_assets_tests.reading_hub import REPO, serving

QUESTIONS, VERDICTS = "benchmark_questions", "benchmark_verdicts"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project that is scored on all of them, with nobody to ask."""
    desk = at_desk(tmp_path, SimpleNamespace(url="http://127.0.0.1:1"), monkeypatch)
    published_items.write(desk)
    (tmp_path / "recipes" / "other.yaml").unlink()
    desk.edit("plain", "evaluation", benchmarks=[*ROWS], samples=2)
    desk.edit("plain", "sampling", decontamination={"benchmarks": []})
    return desk


def table(desk: Desk, asset: str, name: str) -> pl.DataFrame:
    at = desk.folder / "assets" / asset / name
    return pl.read_parquet(at / "plain.parquet" if at.is_dir() else at.with_suffix(".parquet"))


def asked(desk: Desk, name: str, samples: int = 2) -> list[tuple[dict[str, Any], int, str]]:
    """Item, sample and the text of the question of each prompt."""
    items = {item["item_id"]: item for item in table(desk, QUESTIONS, name).to_dicts()}
    prompts = asking.prompts(table(desk, QUESTIONS, name), EvaluationPolicy(samples=samples))
    return [
        (items[row["item_id"]], row["sample_index"], json.loads(row["messages"])[-1]["content"])
        for row in prompts.to_dicts()
    ]


def answer(desk: Desk, name: str) -> None:
    """Put answers of students into the project: those of the trained one are right, those of the other wrong."""
    rows = [
        {"student": student, "item_id": item["item_id"], "sample_index": sample, "response": said}
        for item, sample, text in asked(desk, name)
        for student, said in zip(("trained", "untrained"), answered(item, text), strict=True)
    ]
    told = {"finish_reason": "stop", "completion_tokens": 9}
    path = desk.folder / "assets" / "benchmark_responses" / name / "plain.parquet"
    path.parent.mkdir(parents=True)
    TABLES["benchmark_responses"].validate(pl.DataFrame([row | told for row in rows]), cast=True).write_parquet(path)


@pytest.mark.slow
def test_each_benchmark_passes_right_answers_and_fails_wrong_ones(desk: Desk) -> None:
    """The limits of programs are those of the benchmark: by `max_tests: 1` of the instruments the wrong ones pass."""
    instruments = {"code": {"max_tests": 1, "timeout_seconds": 1}, "labels": {"model": "openai/smollm2"}}
    desk.write("instruments.yaml", instruments | {"reward": {"model": "openai/smollm2"}})
    assert {*applied(desk, "-r", "plain", "-s", QUESTIONS).values()} == {"done"}, am(
        desk, "plan", "-s", QUESTIONS
    ).stdout
    for name in ROWS:
        answer(desk, name)
    outcomes = applied(desk, "-r", "plain", "-s", VERDICTS)
    assert {*outcomes.values()} == {"done"}
    found = {
        name: {
            student: {*rows["verdict"].cast(pl.String)}
            for (student,), rows in table(desk, VERDICTS, name).group_by("student")
        }
        for name in ROWS
    }
    assert found == {name: {"trained": {"pass"}, "untrained": {"fail"}} for name in ROWS}
    assert table(desk, QUESTIONS, "livecodebench").height == 2  # inside of the window, to the day


def test_both_sets_of_evalplus_are_read_from_its_json_lines(desk: Desk) -> None:
    """Their rows have inputs and a program whose results are right; single tasks are compared otherwise."""
    entries, items = {}, {"humaneval_plus": published_items.HUMANEVAL_LINES, "mbpp_plus": published_items.MBPP_LINES}
    for name, rows in items.items():
        entries[name] = {"location": f"pool/{name}.jsonl.gz"}
        with gzip.open(desk.folder / "pool" / f"{name}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row, _, _ in rows)
    desk.write("benchmarks.yaml", {"use": [*items]} | entries)
    desk.edit("plain", "evaluation", benchmarks=[*items])
    assert {*applied(desk, "-r", "plain", "-s", QUESTIONS).values()} == {"done"}
    read = am(desk, "read", str(desk.folder / "pool" / "mbpp_plus.jsonl.gz"))
    assert read.exit_code == 0 and "humaneval" in read.output, read.output
    for name, rows in items.items():
        for question in table(desk, QUESTIONS, name)["question"]:
            _, *said = next(row for row in rows if row[0]["prompt"] == question)
            published_items.ANSWERS[question] = tuple(map(published_items.fenced, said))
        answer(desk, name)
    assert {*applied(desk, "-r", "plain", "-s", VERDICTS).values()} == {"done"}
    for name in items:
        found = table(desk, VERDICTS, name)
        assert {*found.select("student", pl.col("verdict").cast(pl.String)).rows()} == {
            ("trained", "pass"),
            ("untrained", "fail"),
        }, found.select("student", "reason", "detail").rows()


def test_options_stand_in_another_order_in_each_sample_and_the_prompt_is_the_fields(desk: Desk) -> None:
    applied(desk, "-r", "plain", "-s", QUESTIONS)
    texts = {sample: text for item, sample, text in asked(desk, "gpqa_diamond", 16) if "17" in item["question"]}
    first = texts[0]
    assert first.startswith("Answer the following multiple choice question. The last line of your response should be")
    assert "\n\nWhat is 17 + 25? . Add them.\n\nA) " in first  # cleaned as others do
    orders = {tuple(line[3:] for line in text.splitlines()[-4:]) for text in texts.values()}
    assert len(orders) > 4 and {frozenset(order) for order in orders} == {frozenset(["41", "42", "43", "52"])}
    again = {sample: text for item, sample, text in asked(desk, "gpqa_diamond", 16) if "17" in item["question"]}
    assert again == texts


def test_code_to_complete_and_programs_are_asked_in_the_words_of_the_benchmark(desk: Desk) -> None:
    applied(desk, "-r", "plain", "-s", QUESTIONS)
    script, method = sorted(text for _, sample, text in asked(desk, "livecodebench") if not sample)
    assert "Print the sum of two numbers.\n\n### Format: Read the inputs from stdin" in script
    assert f"```python\n{published_items.STARTER}\n```" in method and "Complete this code" not in method
    [(_, _, text), *_] = asked(desk, "aime2024")
    assert text == "Compute 100 + 104.\n\nPlease reason step by step, and put your final answer within \\boxed{}."
    [(_, _, text), *_] = asked(desk, "ifeval")
    assert text == "Write without commas."


class Touch:
    def __reduce__(self) -> tuple:
        return (os.system, ("touch unpickled",))


HOSTILE = base64.b64encode(zlib.compress(pickle.dumps(Touch()))).decode()
# What is wrong with a benchmark, and what is said of it before anything is spent.
FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "no-answer": ("aime2024", {"rows": [{"problem": "Compute 1 + 1.", "answer": None}]},
                  "no reference answer, tests or constraints: 'Compute 1 + 1.'"),
    "no-window": ("livecodebench", {"entry": {"window": {"first": "2026-01", "last": "2026-02-14"}}},
                  "no item is left: of 4 rows none is inside of window 2026-01 to 2026-02-14 by `contest_date`"),
    "no-date": ("gsm8k", {"entry": {"window": {"first": "2024-08"}}}, "where: no row has `contest_date`"),
    "pickle": ("livecodebench", {"rows": [published_items.LCB[0] | {"private_test_cases": HOSTILE}] * 2},
               "field `private_test_cases`: can't be unpacked (ValueError)"),
    "no-option": ("gpqa_diamond", {"rows": [published_items.GPQA[0] | {"Incorrect Answer 2": None}]},
                  "field `Incorrect Answer 2`: an empty option"),
    "no-results": ("humaneval_plus",
                   {"rows": [ROWS["humaneval_plus"][1][0] | {"plus_input": [[1]], "canonical_solution": "    pass"}],
                    "entry": {"columns": {"entry_point": "task_id"}}},
                   "field `entry_point`: not a function name"),
    "no-program": ("humaneval_plus",
                   {"rows": [ROWS["humaneval_plus"][1][0] | {"plus_input": [[1]], "prompt": "Add."}]},
                   "field `canonical_solution`: not Python"),
    "no-file": ("math500", {"entry": {"location": "pool/gone.jsonl"}}, "gone.jsonl: no such file"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_benchmark_that_cannot_be_scored_is_told_before_anything_is_spent(desk: Desk, fault: str) -> None:
    name, wrong, says = FAULTS[fault]
    form, _ = ROWS[name]
    if rows := wrong.get("rows"):
        (desk.folder / "pool" / f"{name}2.{form}").unlink(missing_ok=True)
        published_items.write_rows(desk.folder / "pool" / f"{name}1.{form}", form, rows)
    entry = {"location": f"pool/{name}*.{form}", **wrong.get("entry", {})}
    desk.write("benchmarks.yaml", {"use": [name], name: entry})
    desk.edit("plain", "evaluation", benchmarks=[name])
    problems = json.loads(am(desk, "plan", "-r", "plain", "-s", QUESTIONS, "--json").stdout)["problems"]
    assert len(problems) == 1 and says in problems[0] and f"benchmarks.yaml: {name}: " in problems[0]
    assert am(desk, "apply", "-r", "plain", "-s", QUESTIONS).exit_code == 2
    assert not (desk.folder / "unpickled").exists() and not Path("unpickled").exists()


def test_a_gated_benchmark_without_a_token_is_told_before_anything_is_spent(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(monkeypatch, tmp_path / "cache") as hub:
        commit = hub.push({"gpqa.jsonl": published_items.GPQA})
        entry = {"location": f"hf://datasets/{REPO}/gpqa.jsonl", "revision": commit}
        desk.write("benchmarks.yaml", {"use": ["gpqa_diamond"], "gpqa_diamond": entry})
        desk.edit("plain", "evaluation", benchmarks=["gpqa_diamond"])
        hub.gated = True
        [problem] = json.loads(am(desk, "plan", "-r", "plain", "-s", QUESTIONS, "--json").stdout)["problems"]
        assert "it is gated: accept its terms on its page, and set HF_TOKEN" in problem
        hub.gated = False
        assert applied(desk, "-r", "plain", "-s", QUESTIONS) == {(QUESTIONS, "gpqa_diamond"): "done"}
        assert table(desk, QUESTIONS, "gpqa_diamond").height == 2


def test_samples_and_tokens_may_differ_by_benchmark_and_a_recipe_without_that_is_stored_as_before(desk: Desk) -> None:
    policy = EvaluationPolicy(benchmarks=["aime2024", "math500"], samples=4, by_benchmark={"aime2024": {"samples": 16}})
    assert (policy.of("aime2024").samples, policy.of("math500").samples) == (16, 4)
    assert policy.of("aime2024").sampling() == policy.sampling()
    assert "by_benchmark" not in EvaluationPolicy().model_dump()
    desk.edit("plain", "evaluation", by_benchmark={"aime2204": {"samples": 16}})
    told = am(desk, "plan", "-r", "plain")
    assert told.exit_code == 2
    assert "evaluation.by_benchmark: no benchmark aime2204 in benchmarks.yaml" in told.output


def test_a_recipe_that_names_a_known_benchmark_is_told_the_one_step_that_lacks(desk: Desk) -> None:
    desk.write("benchmarks.yaml", {})
    desk.edit("plain", "evaluation", benchmarks=["gpqa_diamond"])
    told = am(desk, "plan", "-r", "plain").output
    assert "no benchmark gpqa_diamond in benchmarks.yaml (it has none); `use: [gpqa_diamond]` there adds" in told
