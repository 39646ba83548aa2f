"""Each published form becomes the same canonical columns, and a row that does not fit is named."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from am_assets.config.files import ConfigError, parse
from am_assets.datasets.adapters import ADAPTERS
from am_assets.datasets.adapters.base import boxed, boxed_reference
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Origin, fingerprint, reasoning_gym
from am_assets.datasets.reading import BESIDE, PARTS, Told, read_rows
from am_assets.verification.verifiers.math import references


def adapt(folder: Path, adapter: str, *rows: dict[str, Any], told: Told | None = None, **config: Any) -> pl.DataFrame:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    origin = parse(Origin, {"location": "a.jsonl", "adapter": adapter, **config}, "test")
    return pl.concat(read_rows(origin, folder, told)).drop(BESIDE, PARTS)


def fault(folder: Path, adapter: str, row: dict[str, Any], **config: Any) -> str:
    """Why a row is dropped. A source of such rows alone is refused for it."""
    with pytest.raises(SourceError, match=r"2 of 2 rows can't be read: "):
        adapt(folder, adapter, row, row, **config)
    told = Told()
    assert adapt(folder, adapter, row, told=told, **config).is_empty()
    ((reason, places),) = told.places.items()
    assert places == [f"{folder / 'a.jsonl'}:1"]
    return reason


def am_row(test_case: Any = None, teacher: str | None = "r1", **changes: Any) -> dict[str, Any]:
    user = {"role": "user", "content": "Q?", "info": {"source": "s", "reference_answer": "7", "test_case": test_case}}
    assistant = {"role": "assistant", "content": "<think>t</think>", "info": {"source": teacher}}
    return {"messages": [user, assistant | changes]}


def test_am_gives_question_reference_and_the_published_response(tmp_path: Path) -> None:
    row = adapt(tmp_path, "am", am_row()).row(0, named=True)
    assert row == {
        "question": "Q?",
        "reference_answer": "7",
        "test_cases": None,
        "constraints": None,
        "published": [{"teacher": "r1", "response": "<think>t</think>"}],
    }


def test_am_test_cases_may_be_struct_json_text_code_or_null_in_one_file(tmp_path: Path) -> None:
    tests = {"test_code": "assert f(1)", "test_entry_point": "f"}
    rows = [am_row(tests), am_row(json.dumps(tests)), am_row("assert f(1)"), am_row(None), am_row("")]
    decoded = [text and json.loads(text) for text in adapt(tmp_path, "am", *rows)["test_cases"]]
    assert decoded == [tests, tests, {"test_code": "assert f(1)", "test_entry_point": None}, None, None]


def test_am_takes_the_teacher_of_the_row_and_else_of_the_config(tmp_path: Path) -> None:
    rows = adapt(tmp_path, "am", am_row(teacher="r1"), am_row(teacher=None), teacher="configured")
    assert [row[0]["teacher"] for row in rows["published"]] == ["r1", "configured"]
    with pytest.raises(SourceError, match=r"a\.jsonl:2: a response of an unnamed teacher"):
        adapt(tmp_path, "am", am_row(), am_row(teacher=None))


def test_the_first_turns_of_a_longer_chat_are_read_where_the_entry_says_so(tmp_path: Path) -> None:
    longer = {"messages": [*am_row()["messages"], {"role": "user", "content": "And?"}]}
    assert adapt(tmp_path, "am", longer, turns="first").equals(adapt(tmp_path, "am", am_row()))
    assert "field `messages`: a chat of several turns; `turns: first`" in fault(tmp_path, "am", longer, turns="reject")


def test_am_thinking_has_its_reference_at_the_answer(tmp_path: Path) -> None:
    asked = {"from": "human", "value": "Q?", "info": None}
    answered = {"from": "assistant", "value": "A.", "info": {"source": "r1", "ground_truth": "42", "test_case": None}}
    row = adapt(tmp_path, "am", {"conversations": [asked, answered], "system": "Think."}).row(0)
    assert row == ("Q?", "42", None, None, [{"teacher": "r1", "response": "A."}])


def test_am_is_read_alike_from_parquet(tmp_path: Path) -> None:
    rows = [am_row({"test_code": "assert f(1)", "test_entry_point": "f"}), am_row(None)]
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    origin = Origin(location="a.parquet", adapter="am")
    assert pl.concat(read_rows(origin, tmp_path)).drop(BESIDE, PARTS).equals(adapt(tmp_path, "am", *rows))


def test_gsm8k_reference_stands_after_the_marks_without_commas(tmp_path: Path) -> None:
    results = {
        "1 + 1 #### no\n#### 1,234 ": "1234",
        "x\n#### -5": "-5",
        "x\n#### $7": "7",
        "#### 1,234.50\n": "1234.50",
    }
    rows = [{"question": "a", "answer": answer} for answer in results]
    assert adapt(tmp_path, "gsm8k", *rows)["reference_answer"].to_list() == [*results.values()]
    for answer in ("5", "5 ####"):
        assert fault(tmp_path, "gsm8k", {"question": "a", "answer": answer}) == "field `answer`: no result after ####"


def test_math_reference_is_the_answer_or_what_is_boxed_last(tmp_path: Path) -> None:
    rows = [
        {"problem": "a", "answer": "12"},
        {"problem": "b", "answer": 12},
        {"problem": "c", "solution": r"first \boxed{1}, then \boxed{\frac{1}{2}}."},
        {"problem": "d", "answer": None, "solution": r"\boxed{3}"},
        {"problem": "e", "answer": None},
    ]
    assert adapt(tmp_path, "math", *rows)["reference_answer"].to_list() == ["12", "12", r"\frac{1}{2}", "3", None]
    assert fault(tmp_path, "math", {"problem": "a", "result": "12"}) == "no field `answer`, and no `solution`"


@pytest.mark.parametrize(
    ("solution", "boxes"),
    [
        (r"so $\fbox{7}$", ["7"]),
        (r"so $\boxed 7$.", ["7"]),
        (r"so $\boxed\pi$", [r"\pi"]),
        (r"$\boxed {9}$", ["9"]),
        (r"$\boxed{\frac{1}{2}}$ and \fbox {x}", [r"\frac{1}{2}", "x"]),
        (r"\boxed{1} and \boxed{2", []),
        ("nothing", []),
    ],
)
def test_a_box_is_read_in_every_spelling_and_not_where_one_does_not_close(solution: str, boxes: list[str]) -> None:
    assert boxed(solution) == boxes


@pytest.mark.parametrize(
    ("solution", "reference"),
    [
        (r"$\boxed{3}$ or $\boxed{5}$", None),
        (r"$\boxed{3}, \boxed{5}$.", None),
        (r"$x=\boxed{3} \text{ and } \boxed{5}$", None),
        (r"$\boxed{3}$ or $\boxed{3}$", "3"),
        (r"First $\boxed{3}$. Then, from this, we get $\boxed{5}$", "5"),
    ],
)
def test_boxes_side_by_side_are_noted_and_never_one_of_them(
    tmp_path: Path, solution: str, reference: str | None
) -> None:
    told = Told()
    rows = adapt(tmp_path, "math", {"problem": "a", "solution": solution}, told=told)
    assert rows["reference_answer"].to_list() == [reference]
    assert told.notes.total() == (reference is None)
    assert boxed_reference(solution)[0] == reference


def test_numinamath_proofs_and_answers_not_found_are_no_references(tmp_path: Path) -> None:
    rows = [
        {"problem": "Prove it.", "solution": r"\boxed{1}", "answer": "proof"},
        {"problem": "a", "solution": r"\boxed{42}", "answer": "notfound"},
        {"problem": "b", "solution": "so $y=3$", "answer": ""},
    ]
    assert adapt(tmp_path, "math", *rows)["reference_answer"].to_list() == [None, "42", None]


def test_mbpp_shows_the_tests_so_that_the_function_name_is_known(tmp_path: Path) -> None:
    tests = ["assert f(1) == 2", "assert f(2) == 3"]
    row = adapt(tmp_path, "mbpp", {"text": "Add one.", "test_list": tests, "test_setup_code": "import math"})
    assert row["question"][0] == "Add one.\n\nYour code should pass these tests:\n" + "\n".join(tests)
    assert json.loads(row["test_cases"][0])["test_code"] == "import math\n" + "\n".join(tests)
    assert row["reference_answer"][0] is None
    assert fault(tmp_path, "mbpp", {"text": "Add one.", "test_list": []}) == "field `test_list`: no tests"


def test_sanitized_mbpp_has_its_prompt_and_imports(tmp_path: Path) -> None:
    row = adapt(tmp_path, "mbpp", {"prompt": "Add.", "test_list": ["assert f(1)"], "test_imports": ["import math"]})
    assert json.loads(row["test_cases"][0])["test_code"] == "import math\nassert f(1)"


def test_humaneval_tests_call_their_own_check(tmp_path: Path) -> None:
    row = {"prompt": "def one():", "test": "def check(f):\n    assert f() == 1", "entry_point": "one"}
    tests = json.loads(adapt(tmp_path, "humaneval", row)["test_cases"][0])
    assert tests["test_entry_point"] == "one"
    exec("def one():\n    return 1\n" + tests["test_code"], {})
    with pytest.raises(AssertionError):
        exec("def one():\n    return 2\n" + tests["test_code"], {})
    assert (
        fault(tmp_path, "humaneval", row | {"entry_point": "one); evil("}) == "field `entry_point`: not a function name"
    )
    method = adapt(tmp_path, "humaneval", row | {"entry_point": "Solution().one"})
    assert json.loads(method["test_cases"][0])["test_code"].endswith("check(Solution().one)\n")


def test_tests_in_two_lists_and_in_what_python_wrote_are_read_and_what_is_neither_is_named(tmp_path: Path) -> None:
    lists = {"question": "Q?", "inputs": "[[1, 2]]", "outputs": "[3]", "func_name": "add", "starter_code": "def add"}
    rows = adapt(tmp_path, "rstarcoder", lists, {"question": "Q!", "inputs": '["1 2"]', "outputs": '["3"]'}).rows()
    assert [json.loads(row[2]) for row in rows] == [
        {"fn_name": "add", "inputs": [[1, 2]], "outputs": [3]},
        {"inputs": ["1 2"], "outputs": ["3"]},
    ]
    assert "Complete this code" in rows[0][0] and rows[1][0] == "Q!"
    assert "as many outputs" in fault(tmp_path, "rstarcoder", lists | {"outputs": "[]"})
    checked = {"test_cases": [{"type": "stdin_stdout", "input": "1 2", "output": "3"}], "language": "python"}
    written = {"prompt": "Q?", "task_type": "verifiable_code", "verification_info": repr(checked)}
    assert json.loads(adapt(tmp_path, "synthetic1", written)["test_cases"][0]) == {"inputs": ["1 2"], "outputs": ["3"]}
    called = written | {"verification_info": "{'ground_truth': exit()}"}
    assert fault(tmp_path, "synthetic1", called).endswith("expected an object as JSON text")


def test_jsonl_columns_are_named_in_the_config(tmp_path: Path) -> None:
    row = {"ask": "Q?", "gold": 5, "chat": [{"text": "A."}], "question": "not this one"}
    columns = {"question": "ask", "reference_answer": "gold", "response": "chat.0.text"}
    got = adapt(tmp_path, "jsonl", row, columns=columns, teacher="t").row(0, named=True)
    assert got == {
        "question": "Q?",
        "reference_answer": "5",
        "test_cases": None,
        "constraints": None,
        "published": [{"teacher": "t", "response": "A."}],
    }


def test_a_list_of_responses_that_was_written_as_text_is_several(tmp_path: Path) -> None:
    several = ["<think>a</think>4", "<think>it's b</think>4"]
    for written in (json.dumps(several), repr(several)):
        (said,) = adapt(tmp_path, "jsonl", {"question": "Q?", "response": written}, teacher="t")["published"]
        assert [one["response"] for one in said] == several
    own = {"question": "Q?", "response": '["a", "b"]'}
    assert adapt(tmp_path, "jsonl", own, teacher="t")["published"][0][0]["response"] == '["a", "b"]'
    cut = {"question": "Q?", "response": json.dumps(several)[:-3]}
    assert fault(tmp_path, "jsonl", cut) == "field `response`: a list that was written as text and can't be read"


def test_a_chat_that_python_wrote_is_one(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "It's 1 + 1?"}, {"role": "assistant", "content": "<think>2</think>2"}]
    (row,) = adapt(tmp_path, "chat", {"messages": repr(turns)}, teacher="t").to_dicts()
    assert (row["question"], row["published"][0]["response"]) == ("It's 1 + 1?", "<think>2</think>2")
    assert fault(tmp_path, "chat", {"messages": repr(turns).replace(", {", " {")}).startswith(
        "field `messages`: no chat"
    )


def test_of_am_the_name_of_the_model_is_the_teacher_where_there_is_one(tmp_path: Path) -> None:
    info = {"source": "numina", "model_name": "DeepSeek-R1-0528", "ground_truth": "2"}
    turns = [{"from": "human", "value": "1 + 1?", "info": None}, {"from": "assistant", "value": "2", "info": info}]
    (row,) = adapt(tmp_path, "am", {"conversations": turns}).to_dicts()
    assert row["published"][0]["teacher"] == "DeepSeek-R1-0528" and row["reference_answer"] == "2"


def test_several_reference_answers_are_one_reference_that_any_of_them_meets(tmp_path: Path) -> None:
    given = [["1/2", "0.5"], [7], [3, "three", "3", " "], [], [None], "[1, 2)", 5, None]
    wanted = ['{"any_of":["1/2","0.5"]}', "7", '{"any_of":["3","three"]}', None, None, "[1, 2)", "5", None]
    rows = [{"question": "Q?", "gold": gold} for gold in given]
    columns = {"reference_answer": "gold"}
    assert adapt(tmp_path, "jsonl", *rows, columns=columns)["reference_answer"].to_list() == wanted
    assert [references(answer) for answer in wanted[:2]] == [["1/2", "0.5"], ["7"]]
    table = pl.DataFrame({"question": ["Q?"] * 3, "gold": [["1/2", "0.5"], [], None]})
    table.write_parquet(tmp_path / "a.parquet")
    origin = Origin(location="a.parquet", adapter="jsonl", columns=columns)
    assert pl.concat(read_rows(origin, tmp_path))["reference_answer"].to_list() == [wanted[0], None, None]
    reason = fault(tmp_path, "jsonl", {"question": "Q?", "gold": [{"value": 5}]}, columns=columns)
    assert reason == "field `gold`: expected text, found an object"


def test_an_answer_is_the_reference_of_a_row_without_one_where_it_is_short(tmp_path: Path) -> None:
    given = {"42": "42", "x\n#### 42": None, "Let me see.\nIt is 42.": None, "word " * 60: None, 42.0: "42"}
    rows = [{"question": "Q?", "answer": answer} for answer in given]
    assert adapt(tmp_path, "jsonl", *rows)["reference_answer"].to_list() == [*given.values()]
    both = {"question": "Q?", "answer": "41", "reference_answer": None}
    assert adapt(tmp_path, "jsonl", both)["reference_answer"].to_list() == [None]


WORDS = {"num_words": 20, "relation": "less than"}
ASKED = [{"id": "length_constraints:number_words", "kwargs": WORDS}, {"id": "punctuation:no_comma", "kwargs": {}}]


def test_constraints_are_read_in_one_spelling_from_either_form(tmp_path: Path) -> None:
    names, settings = [one["id"] for one in ASKED], [WORDS | {"keywords": None}, {"num_words": None}]
    ifeval = {"key": 1, "prompt": "Q?", "instruction_id_list": names, "kwargs": settings}
    own = {"question": "Q?", "constraints": [ASKED[0], {"id": ASKED[1]["id"]}]}
    as_text = {"question": "Q?", "constraints": json.dumps(ASKED)}
    read = [adapt(tmp_path, "ifeval", ifeval), adapt(tmp_path, "jsonl", own), adapt(tmp_path, "jsonl", as_text)]
    assert read[0].equals(read[1]) and read[1].equals(read[2])
    assert json.loads(read[0]["constraints"].item()) == ASKED
    pl.DataFrame([ifeval]).write_parquet(tmp_path / "a.parquet")
    assert (
        pl.concat(read_rows(Origin(location="a.parquet", adapter="ifeval"), tmp_path))
        .drop(BESIDE, PARTS)
        .equals(read[0])
    )
    assert adapt(tmp_path, "jsonl", {"question": "Q?", "constraints": []})["constraints"].item() is None


@pytest.mark.parametrize(
    "wrong", [["no_comma"], {"id": "no_comma"}, [{"kwargs": {}}], [{"id": "x", "kwargs": [1]}], "x"]
)
def test_constraints_that_are_none_are_named(tmp_path: Path, wrong: Any) -> None:
    reason = fault(tmp_path, "jsonl", {"question": "Q?", "constraints": wrong})
    assert reason == "field `constraints`: expected constraints, each with its id and its settings"


def test_ifeval_lists_of_unlike_lengths_are_named(tmp_path: Path) -> None:
    row = {"prompt": "Q?", "instruction_id_list": ["punctuation:no_comma"], "kwargs": []}
    assert fault(tmp_path, "ifeval", row).startswith("fields `instruction_id_list` and `kwargs`: expected constraints")


FINISHED = {  # the finish reasons of two responses, and which of them are whole
    "nothing is said": (None, "AB", []),
    "both ended": (["stop", "EOS"], "AB", []),
    "the limit": (["length", "stop"], "B", ["a response cut off by its token limit, left out"]),
    "an error, and nothing": (["abort", None], "", ["an interrupted response, left out"]),
    "a filter": (["stop", "content_filter"], "A", ["an interrupted response, left out"]),
}


@pytest.mark.parametrize(("reasons", "whole", "notes"), FINISHED.values(), ids=FINISHED)
def test_responses_that_lack_their_end_are_left_out_and_noted(
    tmp_path: Path, reasons: list | None, whole: str, notes: list[str]
) -> None:
    texts = ["A", "B"]
    rows = {
        "openr1": [ADAPTERS["openr1"].example | {"generations": texts, "finish_reasons": reasons}],
        "jsonl": [{"question": "Q?", "teacher": "r1", "response": texts, "finish_reason": reasons}],
    }
    one_each = list(zip(texts, reasons or [None] * 2, strict=True))
    if reasons is None or None not in reasons:  # of a single response, null says nothing
        turns = ADAPTERS["chat"].example["conversations"][:1]
        rows["chat"] = [
            {"conversations": [*turns, {"from": "gpt", "value": said}], "teacher": "r1", "finish_reason": reason}
            for said, reason in one_each
        ]
        rows["codeforces_cots"] = [
            ADAPTERS["codeforces_cots"].example | {"generation": said, "finish_reason": reason}
            for said, reason in one_each
        ]
    for form, given in rows.items():
        told = Told()
        read = adapt(tmp_path, form, *given, told=told)
        assert "".join(one["response"] for row in read["published"] for one in row) == whole
        assert list(told.notes) == notes


def test_as_many_finish_reasons_as_responses_are_expected(tmp_path: Path) -> None:
    row = ADAPTERS["openr1"].example | {"finish_reasons": ["stop"]}
    assert fault(tmp_path, "openr1", row) == "field `finish_reasons`: expected one for each of 2 responses, found 1"
    assert adapt(tmp_path, "openr1", row | {"generations": [], "finish_reasons": []})["published"].to_list() == [[]]


def test_openthoughts_has_tests_or_what_its_solution_boxes(tmp_path: Path) -> None:
    math = ADAPTERS["openthoughts"].example
    tests = json.dumps({"fn_name": "add", "inputs": [[1, 2]], "outputs": [3]})
    starter = "def add(a, b):\n    "
    code = {"ground_truth_solution": "print(r'\\boxed{1}')", "test_cases": tests, "starter_code": starter}
    both = adapt(tmp_path, "openthoughts", math, math | code).to_dicts()
    assert [(row["reference_answer"], row["test_cases"] is not None) for row in both] == [("42", False), (None, True)]
    assert [starter.rstrip() in row["question"] for row in both] == [False, True]
    assert both[0]["published"][0]["response"] == "<think>17+25=42.</think>The sum is \\boxed{42}."


def test_kodcode_has_the_response_that_thinks_where_the_solution_is_of_r1(tmp_path: Path) -> None:
    thinks = "<think>Add.</think>```python\ndef add(a, b):\n    return a + b\n```"
    turns = [{"from": "human", "value": "Write it."}, {"from": "gpt", "value": thinks}]
    row = ADAPTERS["kodcode"].example | {"conversations": turns}
    of_r1, of_another = adapt(tmp_path, "kodcode", row, row | {"r1_solution": None})["published"]
    assert list(of_r1) == [{"teacher": "deepseek-r1", "response": thinks}]
    assert list(of_another) == []


def test_codeforces_cots_takes_official_tests_or_tables_or_examples(tmp_path: Path) -> None:
    row = ADAPTERS["codeforces_cots"].example
    tables = {
        "public_tests": {"input": ["1 2"], "output": ["3"]},
        "private_tests": {"input": ["5 6"], "output": ["11"]},
    }
    given = [
        row,
        row | {"official_tests": None} | tables,
        row | {"official_tests": []},
        row | {"official_tests": [], "examples": None},
    ]
    read = adapt(tmp_path, "codeforces_cots", *given)["test_cases"].to_list()
    assert [len(json.loads(tests)["inputs"]) if tests else 0 for tests in read] == [2, 2, 1, 0]
    interactive = row | {"interaction_format": "Ask, and be answered."}
    assert fault(tmp_path, "codeforces_cots", interactive) == "field `interaction_format`: an interactive problem"


@pytest.mark.parametrize(
    "name", ["gpqa", "mbpp", "codeforces", "leetcode", "livecodebench", "olympiadbench", "openthoughts"]
)
def test_what_is_shown_below_a_question_is_none_by_itself(tmp_path: Path, name: str) -> None:
    adapter = ADAPTERS[name]
    shown = {"starter_code": "def f():", "context": "Given.", "note": "A note."}
    (row,) = adapt(tmp_path, name, adapter.example | shown | {adapter.fields["question"].path: None}).to_dicts()
    assert row["question"] == ""


TOWNS = ["Rome", "Paris", "Oslo", "Bern"]
LABELLED = {"text": TOWNS, "label": ["1", "2", "3", "4"]}
IN_COLUMNS = dict(zip("ABCD", TOWNS, strict=True))
WRITTEN = "a ) Rome , b ) Paris , c ) Oslo , d ) Bern"
NOT_ONE = "none of the options"


@pytest.mark.parametrize(
    ("row", "reference"),
    [
        ({"choices": TOWNS, "answer": 1}, "B"),
        ({"choices": TOWNS, "answer": 1.0}, "B"),
        ({"choices": TOWNS, "answer": 4}, f"answer`: {NOT_ONE}, counted from 0"),
        ({"choices": TOWNS, "answer": True}, f"answer`: {NOT_ONE}"),
        ({"choices": TOWNS, "answer": -1}, None),
        ({"choices": TOWNS, "answer": "1"}, f"answer`: {NOT_ONE}; `columns:` names a number that counts them as"),
        ({"choices": TOWNS, "answer_from_0": "1"}, "B"),
        ({"choices": TOWNS, "answer_from_1": 1}, "A"),
        ({"choices": TOWNS, "answer_from_1": "-1"}, None),
        ({"choices": TOWNS, "answer_from_1": 0}, f"answer_from_1`: {NOT_ONE}, counted from 1"),
        ({"choices": LABELLED, "answerKey": "2"}, "B"),
        ({"choices": LABELLED, "answerKey": "B"}, "B"),
        ({"choices": LABELLED, "answerKey": ""}, None),
        ({"choices": LABELLED, "answerKey": "5"}, f"answerKey`: {NOT_ONE}"),
        ({"options": IN_COLUMNS | {"E": None}, "answer": "Paris", "answer_idx": "B"}, "B"),
        ({"options": TOWNS, "answer": "Paris", "answer_letter": "B"}, "B"),
        ({"options": [f"{letter}){town}" for letter, town in IN_COLUMNS.items()], "correct": "B"}, "B"),
        ({"options": [{"key": "A", "value": "Rome"}, {"key": "B", "value": "Paris"}, {"key": "C", "value": "Oslo"},
                      {"key": "D", "value": "Bern"}], "answer": "b"}, "B"),
        ({"options": json.dumps(TOWNS), "answer": "(B)"}, "B"),
        ({"options": WRITTEN, "correct": "b"}, "B"),
        ({**IN_COLUMNS, "answer": "B. Paris"}, "B"),
        ({**IN_COLUMNS, "answer": "B. Rome"}, NOT_ONE),
        ({**IN_COLUMNS, "answer": "E"}, NOT_ONE),
        ({**IN_COLUMNS, "answer": "Madrid"}, NOT_ONE),
        ({**{f"op{letter.lower()}": town for letter, town in IN_COLUMNS.items()}, "cop": 1}, "B"),
        ({"options": TOWNS, "answer": "$\\boxed{B}$"}, "B"),
        ({"options": TOWNS, "answer": "AC"}, "A, C"),
        ({"options": TOWNS, "answer": ["C", "A"]}, "A, C"),
        ({"options": TOWNS, "answer": "CA"}, NOT_ONE),
        ({"options": TOWNS, "answer_from_0": "1.0"}, "B"),
        ({"options": str(TOWNS), "answer": "B"}, "B"),
        ({"options": [{"A": "Rome", "B": None}, {"A": None, "B": "Paris"}, {"C": "Oslo"}, {"D": "Bern"}],
          "expected_answer": "B"}, "B"),
    ],
)  # fmt: skip
def test_multiple_choice_shows_its_options_and_a_letter_is_the_reference(
    tmp_path: Path, row: dict[str, Any], reference: str | None
) -> None:
    row = {"question": "The capital of France?", **row}
    if (reference and "`" in reference) or reference == NOT_ONE:
        assert reference in fault(tmp_path, "choices", row)
        return
    (got,) = adapt(tmp_path, "choices", row).to_dicts()
    assert got["question"] == "The capital of France?\n\nA) Rome\nB) Paris\nC) Oslo\nD) Bern"
    assert got["reference_answer"] == reference


@pytest.mark.parametrize(
    ("row", "question", "reference"),
    [
        ({"question": "2+1?", "options": [1, 2, 3, 4], "answer": 3}, "2+1?\n\nA) 1\nB) 2\nC) 3\nD) 4", "C"),
        ({"question": "2+1?", "options": ["1", "2", "3"], "answer": "3"}, "2+1?\n\nA) 1\nB) 2\nC) 3", "C"),
        ({"question": "2+1?", "options": ["1", "2", "3"], "answer": 1}, "2+1?\n\nA) 1\nB) 2\nC) 3", "B"),
        ({"question": "So?", "options": ["A and B", "C"], "answer": "A and B"}, "So?\n\nA) A and B\nB) C", "A"),
        ({"question": "Which? A. x B. y", "options": ["x", "y"], "answer": "B"}, "Which? A. x B. y", "B"),
        ({"question": "Who?", "options": ["Al", "Bo"], "answer": 0, "context": "Al ran."},
         "Al ran.\n\nWho?\n\nA) Al\nB) Bo", "A"),
        ({"question": {"stem": "Who?", "choices": [{"text": "Al", "label": "A"}, {"text": "Bo", "label": "B"}]},
          "answerKey": "B"}, "Who?\n\nA) Al\nB) Bo", "B"),
        ({"question": "1+1?", "options": None, "answer": "2"}, "1+1?", "2"),
        ({"question": "Who? A. Al B. Bo C. Cy", "answer_from_1": 2}, "Who? A. Al B. Bo C. Cy", "B"),
    ],
)  # fmt: skip
def test_options_are_shown_once_and_a_question_without_any_is_open(
    tmp_path: Path, row: dict[str, Any], question: str, reference: str
) -> None:
    (got,) = adapt(tmp_path, "choices", row).to_dicts()
    assert (got["question"], got["reference_answer"]) == (question, reference)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"options": ["C", "D", "A", "B"], "answer": "A"}, "may mean several of the options"),
        ({"options": ["x", "x"], "answer": "x"}, "may mean several of the options"),
        ({"options": ["x", ""], "answer": "A"}, "an empty option"),
        ({"options": [str(n) for n in range(11)], "answer": "A"}, "more than 10 options"),
        ({"options": "x or y", "answer": "A"}, "expected options"),
        ({"options": "['x' 'y']", "answer": "A"}, "expected options"),  # as numpy writes them
    ],
)
def test_options_that_cannot_be_told_are_named(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    assert says in fault(tmp_path, "choices", {"question": "Which?", **row})


@pytest.mark.parametrize(
    ("question", "answer", "reference"),
    [
        ("Who?\nA. Al\nB. Bo\nC. Cy", 2, None),
        ("Who?\n(A) Al\n(B) Bo\n(C) Cy", "0", None),
        ("Who?\nA. Al\nB. Bo\nC. Cy", "B", "B"),
        ("How many?\nA. 1\nB. 2\nC. 5", 2, "2"),
        ("How many?\nA. Al\nB. Bo\nC. Cy", 7, "7"),
        ("How many are A, B and C?", 3, "3"),
    ],
)
def test_a_number_that_may_count_the_options_of_a_question_is_no_reference(
    tmp_path: Path, question: str, answer: Any, reference: str | None
) -> None:
    (got,) = adapt(tmp_path, "jsonl", {"question": question, "answer": answer}).to_dicts()
    assert got["reference_answer"] == reference


def test_a_row_that_goes_on_from_earlier_turns_is_at_fault(tmp_path: Path) -> None:
    row = {"question": "And 1 + 2?", "answer": 3}
    assert "goes on from the turns in `history`" in fault(tmp_path, "jsonl", row | {"history": [["1 + 1?", "2"]]})
    for none in ([], "[]", None, "made in 1998"):
        assert adapt(tmp_path, "jsonl", row | {"history": none}).height == 1


THOUGHT = "<think>1 and 1.</think>2"
SENT = {  # what servers send, each with one whole answer
    "chat completion": {"id": "x", "model": "m", "choices": [
        {"message": {"role": "assistant", "content": "2", "reasoning_content": "1 and 1."}, "finish_reason": "stop"}]},
    "Gemini": {"modelVersion": "m", "candidates": [
        {"content": {"role": "model", "parts": [{"text": "1 and 1.", "thought": True}, {"text": "2"}]},
         "finishReason": "STOP"}]},
    "Anthropic": {"type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn", "content": [
        {"type": "thinking", "thinking": "1 and 1.", "signature": "x"}, {"type": "text", "text": "2"}]},
    "Responses": {"object": "response", "model": "m", "status": "completed", "output": [
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "1 and 1."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "2"}]}]},
}  # fmt: skip
CUT = {"finish_reason": "length", "finishReason": "MAX_TOKENS", "stop_reason": "max_tokens", "status": "incomplete"}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_what_a_server_sent_is_a_response_where_it_ended(tmp_path: Path, sent: dict[str, Any]) -> None:
    (got,) = adapt(tmp_path, "jsonl", {"question": "1 + 1?", "response": sent}).to_dicts()
    assert got["published"] == [{"teacher": "m", "response": THOUGHT}]
    for ended, cut in CUT.items():
        off = json.loads(json.dumps(sent), object_hook=lambda one, e=ended, c=cut: one | ({e: c} if e in one else {}))
        (got,) = adapt(tmp_path, "jsonl", {"question": "1 + 1?", "response": off}).to_dicts()
        assert (got["published"] == []) == (off != sent)


def test_items_of_responses_are_an_answer_unless_they_call_a_tool_or_are_cut_off(tmp_path: Path) -> None:
    thought, said = SENT["Responses"]["output"]
    row = {"question": "1 + 1?", "response": [thought, said], "teacher": "m"}
    assert adapt(tmp_path, "jsonl", row)["published"].to_list() == [[{"teacher": "m", "response": THOUGHT}]]
    for items in (
        [thought, {"type": "function_call", "name": "add"}, said],
        [thought, said | {"status": "incomplete"}],
    ):
        assert "field `response`: " in fault(tmp_path, "jsonl", row | {"response": items})


OF_FUNCTION = {"N": None, "quantifier": None, "keyword_list": None, "word": None}
COUNT = "length_constraints:number_words"


@pytest.mark.parametrize(
    ("truth", "asked"),
    [
        (json.dumps(OF_FUNCTION | {"func_name": "validate_no_commas"}), [("punctuation:no_comma", {})]),
        (json.dumps(OF_FUNCTION | {"func_name": "verify_keywords", "keyword_list": ["sea"]}),
         [("keywords:existence", {"keywords": ["sea"]})]),
        (json.dumps({"func_name": "validate_word_constraint", "N": 50, "quantifier": "at most"}),
         [(COUNT, {"num_words": 51, "relation": "less than"})]),
        (json.dumps({"func_name": "validate_word_constraint", "N": 50, "quantifier": "around"}),
         [(COUNT, {"num_words": 45, "relation": "at least"}), (COUNT, {"num_words": 56, "relation": "less than"})]),
        (json.dumps(OF_FUNCTION | {"func_name": "verify_letter_frequency"}), [("verify_letter_frequency", {})]),
        (str([{"instruction_id": ["punctuation:no_comma", "keywords:existence"],
               "kwargs": [None, {"keywords": ["sea"]}]}]),
         [("punctuation:no_comma", {}), ("keywords:existence", {"keywords": ["sea"]})]),
    ],
)  # fmt: skip
def test_a_ground_truth_that_is_constraints_is_no_reference(tmp_path: Path, truth: str, asked: list[Any]) -> None:
    (got,) = adapt(tmp_path, "rlvr", ADAPTERS["rlvr"].example | {"ground_truth": truth}).to_dicts()
    assert got["reference_answer"] is None
    assert [(one["id"], one["kwargs"]) for one in json.loads(got["constraints"])] == asked


def test_a_ground_truth_that_is_assertions_is_tests(tmp_path: Path) -> None:
    for truth in (["assert f(1) == 2"], "['assert f(1) == 2']"):
        (got,) = adapt(tmp_path, "rlvr", ADAPTERS["rlvr"].example | {"ground_truth": truth}).to_dicts()
        assert (got["reference_answer"], json.loads(got["test_cases"])["test_code"]) == (None, "assert f(1) == 2")


@pytest.mark.parametrize("truth", ["[{'instruction_id': ['a'", json.dumps({"func_name": "validate_word_constraint"})])
def test_a_ground_truth_in_broken_words_is_named(tmp_path: Path, truth: str) -> None:
    assert "ground_truth" in fault(tmp_path, "rlvr", ADAPTERS["rlvr"].example | {"ground_truth": truth})


def test_a_blank_response_is_none_and_a_null_question_is_the_empty_text(tmp_path: Path) -> None:
    got = adapt(tmp_path, "jsonl", {"question": None, "response": " "})
    assert got.row(0) == ("", None, None, None, [])


def test_the_limit_counts_rows_over_all_files_in_order(tmp_path: Path) -> None:
    for name in ["b", "a"]:
        rows = [json.dumps({"question": f"{name}{n}"}) for n in range(6_000)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    rows = pl.concat(read_rows(Origin(location="*.jsonl", adapter="jsonl", limit=6_002), tmp_path))
    assert rows["question"].to_list() == [f"a{n}" for n in range(6_000)] + ["b0", "b1"]


GYM = {"generator": "reasoning_gym", "datasets": {"chain_sum": 3, "gcd": {"size": 2, "max_value": 9}}}


def test_reasoning_gym_is_seeded_and_knows_its_answers() -> None:
    rows = reasoning_gym(Origin(**GYM, seed=1))
    assert rows.equals(reasoning_gym(Origin(**GYM, seed=1)))
    assert len(rows) == 5
    assert rows["reference_answer"].str.contains(r"^-?\d+$").all()
    shared = set(rows["question"][:3]) & set(reasoning_gym(Origin(**GYM, seed=2))["question"][:3])
    assert not shared  # neighbouring seeds of the package itself would share two


@pytest.mark.parametrize("datasets", [{"no_such_task": 3}, {"gcd": {"size": 2, "no_such_setting": 1}}])
def test_reasoning_gym_names_the_task_it_cannot_make(datasets: dict[str, Any]) -> None:
    with pytest.raises(SourceError, match="reasoning_gym: datasets: "):
        reasoning_gym(Origin(generator="reasoning_gym", datasets=datasets))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "exactly one of location and generator"),
        ({"location": "a.jsonl", "generator": "reasoning_gym"}, "exactly one of location and generator"),
        (
            {"generator": "reasoning_gym", "adapter": "jsonl", "datasets": {"gcd": 1}},
            "adapter, columns and where are of files",
        ),
        ({"location": "a.jsonl", "columns": {"question": "q"}}, "columns are those of an adapter: name it"),
        ({"location": "a.jsonl", "adapter": "jsonl", "columns": {"prompt": "q"}}, "columns: prompt: unknown here"),
        (
            {"location": "a.jsonl", "adapter": "csv"},
            r"yaml: it: adapter: .*no adapter csv; there are: aime, am, ",
        ),
        ({"location": "a.jsonl", "adapter": "base"}, "no adapter base; there are: aime, am, "),
        ({"location": "a.jsonl", "adapter": 5}, "adapter: Input should be a valid string"),
        ({"generator": "planted"}, "generator: .*no generator planted; there are: reasoning_gym"),
        ({"location": "a.jsonl", "adapter": "jsonl", "limit": 0}, "limit"),
        ({"location": "a.jsonl", "adapter": "jsonl", "file": "b"}, "file"),
        ({"generator": "reasoning_gym"}, "datasets must be given"),
    ],
)
def test_a_config_that_cannot_be_names_its_field(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        parse(Origin, config, "sources.yaml: it")


def test_the_fingerprint_follows_config_and_content(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("one")
    origin = Origin(location="a.jsonl", adapter="jsonl")
    first = fingerprint(origin, tmp_path)
    assert fingerprint(origin, tmp_path) == first
    assert fingerprint(Origin(location="a.jsonl", adapter="jsonl", limit=1), tmp_path) != first
    (tmp_path / "a.jsonl").write_text("two")
    assert fingerprint(origin, tmp_path) != first
    assert fingerprint(Origin(**GYM), tmp_path) != fingerprint(Origin(**GYM, seed=1), tmp_path)


def test_a_checker_of_codeforces_comes_with_the_tests(tmp_path: Path) -> None:
    for name in ("codeforces", "codeforces_cots"):
        row = ADAPTERS[name].example | {"generated_checker": "print(1)"}
        (tests,) = adapt(tmp_path, name, row)["test_cases"].to_list()
        assert json.loads(tests)["checker"] == "print(1)"


def test_tests_of_leetcode_that_build_lists_bring_what_the_prompt_defines(tmp_path: Path) -> None:
    row = ADAPTERS["leetcode"].example | {"prompt": "def list_node(values): ..."}
    on_lists = row | {"test": "def check(candidate):\n    assert candidate(list_node([1]))\n"}
    tests = [json.loads(one)["test_code"] for one in adapt(tmp_path, "leetcode", row, on_lists)["test_cases"]]
    assert ["def list_node" in one for one in tests] == [False, True]


def test_code_of_verl_may_be_a_list_of_inputs_and_outputs(tmp_path: Path) -> None:
    listed = [{"input": "1 2", "output": "3", "testtype": "stdin"}]
    row = ADAPTERS["verl"].example | {"reward_model": {"ground_truth": listed, "style": "rule"}}
    (tests,) = adapt(tmp_path, "verl", row)["test_cases"].to_list()
    assert json.loads(tests) == {"inputs": ["1 2"], "outputs": ["3"]}


def test_a_target_of_verl_that_the_assistant_says_is_the_response(tmp_path: Path) -> None:
    row = ADAPTERS["verl"].example
    said = [{"role": "assistant", "content": "<think>17+25</think>42"}]
    for target, responses in ((said, ["<think>17+25</think>42"]), (json.dumps(said), ["<think>17+25</think>42"]),
                              ("42", []), (None, []), ([{"role": "user", "content": "42?"}], [])):  # fmt: skip
        (published,) = adapt(tmp_path, "verl", row | {"target": target}, teacher="r1")["published"].to_list()
        assert [one["response"] for one in published] == responses


def test_tests_of_leetcode_in_verl_bring_what_stands_before_them(tmp_path: Path) -> None:
    truth = {"import_prefix": "import math\n", "test_code": "def check(candidate): ...", "entry_point": "Solution().f"}
    row = ADAPTERS["verl"].example | {"reward_model": {"ground_truth": json.dumps(truth), "style": "rule"}}
    (tests,) = adapt(tmp_path, "verl", row)["test_cases"].to_list()
    assert json.loads(tests)["test_code"] == "import math\n\ndef check(candidate): ..."


def test_tests_of_humaneval_bring_what_they_use_of_the_prompt(tmp_path: Path) -> None:
    prompt = (
        'import math\n\ndef encode(s):\n    """It turns."""\n    return s[::-1]\n\ndef decode(s):\n    """Back."""\n'
    )
    both = {"prompt": prompt, "entry_point": "decode"}
    rows = [
        both | {"test": f"def check(candidate):\n    assert candidate({one}) == 'a'\n"}
        for one in ("'a'", "encode('a')")
    ]
    tests = [json.loads(one)["test_code"] for one in adapt(tmp_path, "humaneval", *rows)["test_cases"]]
    assert ["def encode" in one and "import math" in one for one in tests] == [False, True]
    assert not any("def decode" in one for one in tests)
