"""The demo's rows: right where they should be, wrong where they are meant to be, and never a benchmark item."""

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.datasets.demo import TEACHER, heldout_arithmetic, planted, published_arithmetic
from am_assets.datasets.identity import question_id, question_ids

DATA = Path(__file__).parents[2] / "data"
SHAPE = re.compile(r"<think>(?P<think>[^<]*)</think> <answer>\\boxed\{(?P<result>-?\d+)\}</answer>")
ROWS = published_arithmetic(600, 0)


def test_the_same_seed_gives_the_same_rows_and_a_larger_count_only_appends() -> None:
    assert published_arithmetic(50, 0).equals(ROWS.head(50))
    assert not published_arithmetic(50, 1).equals(ROWS.head(50))


def test_questions_are_distinct_and_filled_in() -> None:
    assert question_ids(ROWS["question"]).n_unique() == len(ROWS)
    assert not ROWS["question"].str.contains(r"[{}|()]").any()
    assert ROWS["question"].str.contains(r"^[A-Z0-9]").all()
    assert set(ROWS["teacher"]) == {TEACHER}


def test_numbers_lie_under_sixty_and_results_under_a_hundred() -> None:
    numbers = ROWS["question"].str.extract_all(r"\d+").explode().cast(pl.Int64)
    assert numbers.max() < 60
    assert ROWS["reference_answer"].cast(pl.Int64).is_between(0, 99).all()


def test_every_wording_states_the_sum_it_means() -> None:
    for question, reference in ROWS.select("question", "reference_answer").iter_rows():
        first, *rest = [int(number) for number in re.findall(r"\d+", question)]
        signed = {first}
        for number in rest:
            signed = {total + sign * number for total in signed for sign in (1, -1)} | {number - first}
        assert int(reference) in signed, question


def test_three_in_ten_responses_are_spoiled_in_different_ways() -> None:
    matches = [(SHAPE.fullmatch(row["response"]), row["reference_answer"]) for row in ROWS.iter_rows(named=True)]
    formed = [(match["result"], right, match["think"]) for match, right in matches if match]
    wrong = sum(result != right for result, right, _ in formed) / len(ROWS)
    repetitive = sum(think.count("We need") > 5 for *_, think in formed) / len(ROWS)
    assert 0.15 < wrong < 0.25
    assert 0.01 < repetitive < 0.06
    assert 0.04 < 1 - len(formed) / len(ROWS) < 0.15
    unclosed = ROWS["response"].str.contains("</think>", literal=True).not_()
    unanswered = ROWS["response"].str.contains("<answer>", literal=True).not_()
    assert (unclosed & ~unanswered).any()
    assert (unanswered & ~unclosed).any()
    assert (unclosed & unanswered).any()


def test_sound_traces_compute_rightly_at_every_step() -> None:
    for row in ROWS.iter_rows(named=True):
        match = SHAPE.fullmatch(row["response"])
        if match and match["result"] == row["reference_answer"]:
            steps = re.findall(r"(\d+) ([+-]) (\d+) = (-?\d+)", match["think"])
            assert all(int(a) + (int(b) if sign == "+" else -int(b)) == int(c) for a, sign, b, c in steps), row


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_no_training_question_of_any_seed_is_held_out(train_seed: int, test_seed: int) -> None:
    train = question_ids(published_arithmetic(60, train_seed)["question"])
    test = question_ids(heldout_arithmetic(30, test_seed)["question"])
    assert not set(train) & set(test)


def test_the_bundled_benchmark_is_what_the_generator_gives() -> None:
    assert pl.read_ndjson(DATA / "samples/heldout_arithmetic.jsonl").equals(heldout_arithmetic(96, 0))


def test_planted_rows_are_what_they_claim_to_be() -> None:
    texts, train, test = planted(0)["question"], ROWS["question"], heldout_arithmetic(4, 0)["question"]
    ids = [question_id(text) for text in texts]
    originals = [question_id(text) for text in train[:11]]
    assert ids[:5] == originals[:5]
    assert not set(ids[5:11]) & set(originals)
    assert [question_id(text) for text in test[:2]] == ids[11:13]
    letters = [re.sub(r"\W+", "", text).lower() for text in (*texts[13:15], *test[2:])]
    assert letters[:2] == letters[2:]
    assert not set(ids[13:15]) & {question_id(text) for text in test}
    assert any("https://" in text for text in texts)
    assert any("¿" in text for text in texts)
    assert sum(not text.strip() for text in texts) == 2
    assert max(len(text) for text in texts) > 1_000_000


def is_python(code: str) -> bool:
    try:
        return bool(compile(code, "tests", "exec"))
    except SyntaxError:
        return False


TASKS = pl.read_ndjson(DATA / "samples/python_tasks.jsonl")
SOUND = TASKS.filter([is_python(code) for code in TASKS["test_code"]])


def test_one_python_task_has_tests_that_are_no_python_and_one_has_two_solutions() -> None:
    assert TASKS.height - SOUND.height == 1
    assert TASKS.height - TASKS["question"].n_unique() == 1


@pytest.mark.parametrize("row", SOUND.rows(named=True))
def test_python_tasks_name_their_function_and_their_published_code_runs(row: dict) -> None:
    assert row["test_entry_point"] in row["question"]
    assert 3 <= row["test_code"].count("assert ") <= 5
    if row["response"]:
        names: dict = {}
        exec(re.search(r"```python\n(.*)\n```</answer>", row["response"], re.DOTALL)[1], names)
        assert callable(names[row["test_entry_point"]])


def test_about_a_fifth_of_the_published_python_solutions_fail_their_tests() -> None:
    rows = SOUND.drop_nulls("response")
    failed = 0
    for row in rows.iter_rows(named=True):
        code = re.search(r"```python\n(.*)\n```</answer>", row["response"], re.DOTALL)[1]
        try:
            exec(f"{code}\n{row['test_code']}", {})
        except Exception:
            failed += 1
    assert 0.15 < failed / len(rows) < 0.25
