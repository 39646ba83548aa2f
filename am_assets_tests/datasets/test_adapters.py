"""Each published form becomes the same canonical columns, and a row that does not fit is named."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from am_assets.config.files import ConfigError, parse
from am_assets.datasets.adapters.base import last_boxed
from am_assets.datasets.locate import SourceError
from am_assets.datasets.origins import Origin, fingerprint, read_rows, reasoning_gym
from am_assets.verification.verifiers.math import references


def adapt(folder: Path, adapter: str, *rows: dict[str, Any], **config: Any) -> pl.DataFrame:
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    origin = parse(Origin, {"location": "a.jsonl", "adapter": adapter, **config}, "test")
    return pl.concat(read_rows(origin, folder))


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


def test_am_refuses_other_conversations_and_tests_without_code(tmp_path: Path) -> None:
    longer = {"messages": [*am_row()["messages"], {"role": "user", "content": "And?"}]}
    for wrong in [longer, am_row(role="system")]:
        with pytest.raises(SourceError, match=r"a\.jsonl:2: messages: expected one user and one assistant"):
            adapt(tmp_path, "am", am_row(), wrong)
    with pytest.raises(SourceError, match=r"a\.jsonl:1: test_case: expected test_code"):
        adapt(tmp_path, "am", am_row({"inputs": ["1"]}))


def test_am_is_read_alike_from_parquet(tmp_path: Path) -> None:
    rows = [am_row({"test_code": "assert f(1)", "test_entry_point": "f"}), am_row(None)]
    pl.DataFrame(rows).write_parquet(tmp_path / "a.parquet")
    origin = Origin(location="a.parquet", adapter="am")
    assert pl.concat(read_rows(origin, tmp_path)).equals(adapt(tmp_path, "am", *rows))


def test_gsm8k_reference_stands_after_the_marks_without_commas(tmp_path: Path) -> None:
    rows = [{"question": "a", "answer": "1 + 1 #### no\n#### 1,234 "}, {"question": "b", "answer": "x\n#### -5"}]
    assert adapt(tmp_path, "gsm8k", *rows)["reference_answer"].to_list() == ["1234", "-5"]
    with pytest.raises(SourceError, match=r"a\.jsonl:1: answer: no result after ####"):
        adapt(tmp_path, "gsm8k", {"question": "a", "answer": "5"})


def test_math_reference_is_the_answer_or_what_is_boxed_last(tmp_path: Path) -> None:
    rows = [
        {"problem": "a", "answer": "12"},
        {"problem": "b", "answer": 12},
        {"problem": "c", "solution": r"first \boxed{1}, then \boxed{\frac{1}{2}}."},
        {"problem": "d", "answer": None, "solution": r"\boxed{3}"},
        {"problem": "e", "answer": None},
    ]
    assert adapt(tmp_path, "math", *rows)["reference_answer"].to_list() == ["12", "12", r"\frac{1}{2}", "3", None]
    with pytest.raises(SourceError, match=r"a\.jsonl:1: no field `answer`; the line has problem, result"):
        adapt(tmp_path, "math", {"problem": "a", "result": "12"})


def test_a_box_that_does_not_close_is_no_answer() -> None:
    assert last_boxed(r"\boxed{1} and \boxed{2") is None
    assert last_boxed("nothing") is None


def test_mbpp_shows_the_tests_so_that_the_function_name_is_known(tmp_path: Path) -> None:
    tests = ["assert f(1) == 2", "assert f(2) == 3"]
    row = adapt(tmp_path, "mbpp", {"text": "Add one.", "test_list": tests, "test_setup_code": "import math"})
    assert row["question"][0] == "Add one.\n\nYour code should pass these tests:\n" + "\n".join(tests)
    assert json.loads(row["test_cases"][0])["test_code"] == "import math\n" + "\n".join(tests)
    assert row["reference_answer"][0] is None
    with pytest.raises(SourceError, match="test_list: no tests"):
        adapt(tmp_path, "mbpp", {"text": "Add one.", "test_list": []})


def test_humaneval_tests_call_their_own_check(tmp_path: Path) -> None:
    row = {"prompt": "def one():", "test": "def check(f):\n    assert f() == 1", "entry_point": "one"}
    tests = json.loads(adapt(tmp_path, "humaneval", row)["test_cases"][0])
    assert tests["test_entry_point"] == "one"
    exec("def one():\n    return 1\n" + tests["test_code"], {})
    with pytest.raises(AssertionError):
        exec("def one():\n    return 2\n" + tests["test_code"], {})
    with pytest.raises(SourceError, match="entry_point: not a function name"):
        adapt(tmp_path, "humaneval", row | {"entry_point": "one); evil("})


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
    with pytest.raises(SourceError, match=r"a\.jsonl:1: field `gold`: expected scalar, found dict"):
        adapt(tmp_path, "jsonl", {"question": "Q?", "gold": [{"value": 5}]}, columns=columns)


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
    assert pl.concat(read_rows(Origin(location="a.parquet", adapter="ifeval"), tmp_path)).equals(read[0])
    assert adapt(tmp_path, "jsonl", {"question": "Q?", "constraints": []})["constraints"].item() is None


@pytest.mark.parametrize(
    "wrong", [["no_comma"], {"id": "no_comma"}, [{"kwargs": {}}], [{"id": "x", "kwargs": [1]}], "x"]
)
def test_constraints_that_are_none_are_named(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(SourceError, match=r"a\.jsonl:1: constraints: expected constraints, each with its id"):
        adapt(tmp_path, "jsonl", {"question": "Q?", "constraints": wrong})


def test_ifeval_lists_of_unlike_lengths_are_named(tmp_path: Path) -> None:
    row = {"prompt": "Q?", "instruction_id_list": ["punctuation:no_comma"], "kwargs": []}
    with pytest.raises(SourceError, match=r"a\.jsonl:1: instruction_id_list and kwargs: "):
        adapt(tmp_path, "ifeval", row)


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
        ({"location": "a.jsonl"}, "adapter must be given with location"),
        ({"location": "a.jsonl", "adapter": "jsonl", "columns": {"prompt": "q"}}, "columns: prompt: unknown here"),
        (
            {"location": "a.jsonl", "adapter": "csv"},
            r"yaml: it: adapter: .*no adapter csv; there are: am, gsm8k, ",
        ),
        ({"location": "a.jsonl", "adapter": "base"}, "no adapter base; there are: am, "),
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
