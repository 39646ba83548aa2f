"""`am init`: files of one's own, in whatever columns, become a project that applies as it is."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from am_assets.cli import app
from am_assets.project import load_project, project

PLACES = ["a harbour", "a mountain hut", "an orchard", "a museum", "a bakery", "a railway yard", "a forest camp",
          "an old library", "a fish market", "a desert inn"]  # fmt: skip


def asked(count: int) -> list[dict]:
    names = ["Ann", "Bob", "Cora", "Dan", "Eve"]
    ways = ["{} has {} pears and gets {} more. How many now?", "{} buys {} stamps, then {}. How many are that?"]
    return [{"prompt": ways[n % 2].format(names[n % 5], 10 + 3 * n, 2 + n), "gold": 12 + 4 * n, "topic": "sums"}
            for n in range(count)]  # fmt: skip


def answered(count: int) -> list[dict]:
    rows = []
    for n in range(count):
        ask = "each weighs 3 kg, what do all weigh?" if n < 10 else "half as many again arrive. How many are there?"
        value = 3 * (2 * n + 4) if n < 10 else 3 * n + 6
        said = f"<think>It comes to {value}.</think> <answer>\\boxed{{{value}}}</answer>"
        turns = [{"role": "user", "content": f"At {PLACES[n % 10]} are {2 * n + 4} crates; {ask}"}]
        rows.append({"messages": [*turns, {"role": "assistant", "content": said}], "reference_answer": str(value)})
    return rows


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AM_SOURCES", raising=False)
    monkeypatch.setenv("AM_DATA", str(tmp_path / "mine"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "mine" / "instance"))
    project.cache_clear()
    return tmp_path


def write(file: Path, rows: list[dict]) -> None:
    if file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif file.suffix == ".json":
        file.write_text(json.dumps(rows))
    else:
        getattr(pl.DataFrame(rows), f"write_{file.suffix[1:]}")(file)


def init(*arguments: str) -> str:
    ran = CliRunner().invoke(app, ["init", "mine", *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.output


def refused(*arguments: str) -> str:
    ran = CliRunner().invoke(app, ["init", "mine", *arguments])
    assert ran.exit_code == 2, ran.output
    return ran.output


def sources(here: Path) -> dict[str, dict]:
    load_project(here / "mine", here / "mine" / "sources.yaml").refuse_broken()
    return yaml.safe_load((here / "mine" / "sources.yaml").read_text())


def test_own_rows_in_two_shapes_of_one_file_are_two_sources(here: Path) -> None:
    write(here / "rows.jsonl", [*asked(2), *answered(6)])
    said = init("--from", "rows.jsonl")
    assert "2 questions" in said and "6 questions" in said and "not read: topic" in said
    assert len(sources(here)) == 2


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_columns_are_found_by_their_names_in_every_format(here: Path, suffix: str) -> None:
    rows = [{"Problem Text": "1 + 1?", "Expected Answer": "2", "note": "x"}]
    write(here / f"sums{suffix}", [{"Question": one["Problem Text"], **one} for one in rows])
    said = init("--from", f"sums{suffix}")
    (entry,) = sources(here).values()
    assert entry["columns"] == {"question": "Question", "reference_answer": "Expected Answer"}
    assert "not read: Problem Text, note" in said


CHAT = [{"role": "user", "content": "1 + 1?"}]
THOUGHT = "<think>1 and 1.</think> It is \\boxed{2}."


@pytest.mark.parametrize(
    ("row", "columns"),
    [
        ({"prompt": "1 + 1?", "gold": 2}, {"question": "prompt", "reference_answer": "gold"}),
        ({"body": {"question": "1 + 1?"}, "meta": {"ground_truth": 2}},
         {"question": "body.question", "reference_answer": "meta.ground_truth"}),
        ({"task": "Write f.", "unit_tests": ["assert f() == 1"]}, {"question": "task", "test_cases": "unit_tests"}),
        ({"prompt": "1 + 1?", "completion": "<think>2</think>2", "model": "r1"},
         {"question": "prompt", "response": "completion", "teacher": "model"}),
        ({"prompt": "1 + 1?", "completion": "2"}, {"question": "prompt", "reference_answer": "completion"}),
        ({"query": "1 + 1?", "thinking": "2.", "output": "It is 2, as one and one more are two.", "target": "2"},
         {"question": "query", "reference_answer": "target", "response": "output", "reasoning": "thinking"}),
        ({"question": {"text": "1 + 1?"}, "answer": {"value": 2}},
         {"question": "question.text", "reference_answer": "answer.value"}),
        ({"问题": "1 + 1?", "答案": 2}, {"question": "问题", "reference_answer": "答案"}),
        ({"prompt": "Write f.", "tests": ["assert f() == 1"], "solution": "def f(): return 1"},
         {"question": "prompt", "test_cases": "tests"}),
        ({"problem_statement": "Add.", "private_tests": {"input": ["1 2"], "output": ["3"]}},
         {"question": "problem_statement"}),
        ({"data": {"text": "1 + 1?"}, "answer": 2}, {"question": "data.text", "reference_answer": "answer"}),
        ({"prompt": "1 + 1?", "system_prompt": "Think in <think></think>.", "gold": 2, "r1": "<think>2</think>2"},
         {"question": "prompt", "reference_answer": "gold", "response": "r1"}),
        ({"prompt": "1 + 1?", "system_prompt": "Think in <think></think>.", "gold": 2, "rejected": "<think>3</think>3"},
         {"question": "prompt", "reference_answer": "gold"}),
        ({"prompt": "1 + 1?", "rollouts": [{"text": "<think>2</think>2", "reward": 1.0}], "label": "2"},
         {"question": "prompt", "reference_answer": "label", "response": "rollouts"}),
        ({"prompt": "1 + 1?", "completion": "One and one is two."}, {"question": "prompt", "response": "completion"}),
        ({"问题": "首都?", "回答": "首都是北京。"}, {"question": "问题", "response": "回答"}),
        ({"问题": "1 + 1?", "回答": "2"}, {"question": "问题", "reference_answer": "回答"}),
        ({"问题": "1 + 1?", "回答": 2}, {"question": "问题", "reference_answer": "回答"}),
        ({"prompt": "1 + 1?", "output": 3, "gold": 2}, {"question": "prompt", "reference_answer": "gold"}),
        ({"Open-ended Verifiable Question": "Who?", "Ground-True Answer": "Ann"},
         {"question": "Open-ended Verifiable Question", "reference_answer": "Ground-True Answer"}),
        ({"question": "1 + 1?", "reasoning (reasoning_content)": "2.", "response (content)": "It is 2, of course."},
         {"response": "response (content)", "reasoning": "reasoning (reasoning_content)"}),
        ({"request": {"messages": CHAT}, "response": {"choices": [{"message": {"content": "<think>2</think>2"}}]}},
         {"question": "request.messages"}),
        ({"prompt": "1 + 1?", "output": "<think>2</think>2", "generator": "r1"},
         {"question": "prompt", "response": "output", "teacher": "generator"}),
        ({"prompt": "1 + 1?", "outputs": [{"model": "r1", "text": "<think>2</think>2"}, None], "answer": 2},
         {"question": "prompt", "reference_answer": "answer", "response": "outputs"}),
        ({"id": "a", "chat": {"title": "Sums", "messages": [*CHAT, {"role": "assistant", "content": THOUGHT}]}},
         {"messages": "chat.messages"}),
        ({"conversation": [{"human": "1 + 1?", "assistant": THOUGHT}]}, {"messages": "conversation"}),
        ({"conversation": json.dumps([{"human": "1 + 1?", "assistant": THOUGHT}])}, {"messages": "conversation"}),
        ({"prompt": "1 + 1?", "solution": "One and one\nis \\boxed{2}.", "generation": THOUGHT},
         {"question": "prompt", "reference_answer": "solution", "response": "generation"}),
        ({"prompt": "1 + 1?", "solution": "One and one\nis two.", "generation": THOUGHT},
         {"question": "prompt", "response": "generation"}),
        ({"question": "1 + 1?", "answer": "2", "ground_truth_answer": "2"},
         {"reference_answer": "ground_truth_answer"}),
        ({"question": "1 + 1?", "answer": "2", "thinking": "1 and 1.", "gold": "2"},
         {"reference_answer": "gold", "response": "answer", "reasoning": "thinking"}),
    ],
)  # fmt: skip
def test_what_a_column_holds_says_what_it_is(here: Path, row: dict, columns: dict) -> None:
    write(here / "rows.jsonl", [row])
    init("--from", "rows.jsonl")
    (entry,) = sources(here).values()
    assert entry["columns"] == columns


ALPACA = {"question": "instruction", "shown_below": "input", "reference_answer": "output"}


@pytest.mark.parametrize(
    ("rows", "entry", "questions"),
    [
        ([{"instruction": "Add.", "input": "1 and 2", "output": "3"}, {"instruction": "1 + 1?", "input": "",
           "output": "2"}], {"columns": ALPACA}, ["Add.\n\n1 and 2", "1 + 1?"]),
        ([{"instruction": "1 + 1?", "output": "2"}, {"instruction": "Add.", "input": "1 and 2", "output": "3"}],
         {"columns": ALPACA}, ["1 + 1?", "Add.\n\n1 and 2"]),
        ([{"instruction": "1 + 1?", "input": None, "output": "2"}],
         {"columns": {"question": "instruction", "reference_answer": "output"}}, ["1 + 1?"]),
        ([{"input": "1 + 1?", "output": "2"}], {"columns": {"question": "input", "reference_answer": "output"}},
         ["1 + 1?"]),
        ([{"Body": "Ann has 1.", "Question": "How many?", "Answer": 1}],
         {"columns": {"question": "Question", "shown_above": "Body", "reference_answer": "Answer"}},
         ["Ann has 1.\n\nHow many?"]),
        ([{"question": "1 + 1?", "context": ["a", "b"], "answer": 2}], {"columns": {"reference_answer": "answer"}},
         ["1 + 1?"]),
        ([{"premise": "Ann ran.", "question": "Who?", "gold": "Ann"}],
         {"columns": {"shown_above": "premise", "reference_answer": "gold"}}, ["Ann ran.\n\nWho?"]),
        ([{"context": "Ann ran.", "question": "Who?", "response": "Ann"}],
         {"columns": {"shown_above": "context", "reference_answer": "response"}}, ["Ann ran.\n\nWho?"]),
        ([{"problem": "1 + 1?", "solution": "2"}],
         {"columns": {"question": "problem", "reference_answer": "solution"}}, ["1 + 1?"]),
        ([{"question": "1 + 1?", "solution": "Add them: \\boxed{2}."}],
         {"adapter": "math", "columns": {"question": "question"}}, ["1 + 1?"]),
        ([{"messages": CHAT, "answer": "2"}], {"adapter": "chat", "columns": {"reference_answer": "answer"}},
         ["1 + 1?"]),
        ([{"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "1 + 1?"},
                             {"from": "gpt", "value": "<think>2</think>2"}]}],
         {"adapter": "chat", "teacher": "unknown"}, ["1 + 1?"]),
        ([{"prompt": CHAT, "completion": [{"role": "assistant", "content": "<think>2</think>2"}]}],
         {"adapter": "chat", "columns": {"messages": "prompt", "response": "completion"}, "teacher": "unknown"},
         ["1 + 1?"]),
        ([{"prompt": "1 + 1?", "messages": [*CHAT, {"role": "assistant", "content": "2"}, *CHAT]}],
         {"adapter": "chat", "turns": "first", "teacher": "unknown"}, ["1 + 1?"]),
        ([{"messages": [*CHAT, {"role": "assistant", "content": "<think>2</think>2"}], "generator": "r1"}],
         {"adapter": "chat", "columns": {"teacher": "generator"}}, ["1 + 1?"]),
    ],
)  # fmt: skip
def test_what_belongs_to_the_question_is_shown_with_it(here: Path, rows: list, entry: dict, questions: list) -> None:
    write(here / "rows.jsonl", rows)
    found = json.loads(init("--from", "rows.jsonl", "--json"))["shapes"][0]
    assert found["entry"] == {"location": str(here / "rows.jsonl"), "adapter": "jsonl", **entry}
    assert [row["question"] for row in found["sample"]] == questions
    assert found["counts"].get("references", 0) + found["counts"].get("responses", 0) == len(rows)


SHOWN = "1 + 1?\n\nA) 1\nB) 2\nC) 3"


@pytest.mark.parametrize(
    ("rows", "references"),
    [
        ([{"optionA": "1", "optionB": "2", "optionC": "3", "answer": "B"}], ["B"]),
        ([{"answer0": "1", "answer1": "2", "answer2": "3", "label": at} for at in ("0", "1")], ["A", "B"]),
        ([{"answerA": "1", "answerB": "2", "answerC": "3", "label": at} for at in ("3", "1")], ["C", "A"]),
        ([{"A": "1", "B": "2", "C": "3", "answer": at} for at in (1, 3)], ["A", "C"]),
        ([{"answers": ["1", "2", "3"], "label": 1}], ["B"]),
        ([{"option": {"A": "1", "B": "2", "C": "3"}, "answer": "BC"}], ["B, C"]),
        ([{"options": "Answer Choices:\nA. 1\nB. 2\nC. 3", "answer": "2. Explanation: it is 2."}], ["B"]),
        ([{"options": "(A) 1 (B) 2 (C) 3", "answer": "C"}], ["C"]),
    ],
    ids=[
        "letters",
        "text from 0",
        "text from 1",
        "numbers from 1",
        "answers beside a label",
        "an object",
        "a text",
        "a line",
    ],
)
def test_options_are_shown_and_the_right_one_is_counted_as_the_rows_tell(
    here: Path, rows: list, references: list
) -> None:
    write(here / "rows.jsonl", [{"question": "1 + 1?"} | row for row in rows])
    (shape,) = json.loads(init("--from", "rows.jsonl", "--json"))["shapes"]
    assert [(row["question"], row["reference_answer"]) for row in shape["sample"]] == [(SHOWN, r) for r in references]


@pytest.mark.parametrize(
    "row",
    [
        {"answer": "60", "answer1": "sixty", "answer2": "60 legs"},
        {"answer": "7", "a": "3", "b": "4"},
        {"answer": "so many", "option1": "fast", "option2": "slow"},
        {"answers": ["6", "six"], "label": True},
    ],
)
def test_what_no_letter_or_number_tells_apart_are_no_options(here: Path, row: dict) -> None:
    write(here / "rows.jsonl", [{"question": "How many?"} | row])
    (shape,) = json.loads(init("--from", "rows.jsonl", "--json"))["shapes"]
    assert shape["form"] == "jsonl" and shape["sample"][0]["question"] == "How many?"
    assert shape["sample"][0]["reference_answer"] in (row.get("answer"), '{"any_of":["6","six"]}')


def test_a_number_beside_options_in_the_question_counts_them_where_a_row_tells(here: Path) -> None:
    asked = "Who?\nA. Al\nB. Bo\nC. Cy"
    for numbers, references in (((0, 2), ["A", "C"]), ((3, 1), ["C", "A"]), ((1, 2), [None, None])):
        write(here / "rows.jsonl", [{"question": asked, "answer": number} for number in numbers])
        (shape,) = json.loads(init("--from", "rows.jsonl", "--json"))["shapes"]
        assert [row["reference_answer"] for row in shape["sample"]] == references
        shutil.rmtree(here / "mine")


@pytest.mark.parametrize(
    "answer",
    [
        {"content": "2", "reasoning_content": "1 and 1."},
        {"content": [{"type": "thinking", "thinking": "1 and 1."}, {"type": "text", "text": "2"}]},
        {"content": "<|channel|>analysis<|message|>1 and 1.<|end|><|channel|>final<|message|>2"},
        {"content": "Here is my thought process: 1 and 1. Here is my response: 2"},
        {"content": '<details type="reasoning" done="true">\n> 1 and 1.\n</details>\n2'},
    ],
)
def test_thinking_is_seen_wherever_it_stands(here: Path, answer: dict) -> None:
    asked = [{"role": "system", "content": "Answer in <think></think>."}, *CHAT]
    write(here / "rows.jsonl", [{"messages": [*asked, {"role": "assistant", **answer}]}])
    assert "do not think" not in init("--from", "rows.jsonl")
    write(here / "plain.jsonl", [{"messages": [*asked, {"role": "assistant", "content": "2"}]}])
    shutil.rmtree(here / "mine")
    assert "do not think" in init("--from", "plain.jsonl")


def test_a_text_that_counts_options_from_no_one_knows_where_is_refused(here: Path) -> None:
    write(here / "rows.csv", [{"question": "1 + 1?", "A": "one", "B": "two", "C": "three", "answer": "1"}])
    said = refused("--from", "rows.csv")
    assert "field `answer`: none of the options; `columns:` names a number that counts them as answer_from_0" in said


@pytest.mark.parametrize(
    "text",
    [
        "<s>[INST] 1 + 1? [/INST] 2 </s>",
        "### Human: 1 + 1?### Assistant: 2",
        "<|im_start|>user\n1 + 1?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>",
        "[{'role': 'user', 'content': '1 + 1?'}\n {'role': 'assistant', 'content': '2'}]",
    ],
)
def test_a_chat_that_was_written_as_one_text_is_no_question(here: Path, text: str) -> None:
    write(here / "rows.jsonl", [{"text": text}])
    assert "rows.jsonl: text holds whole chats as one text: write question and" in refused("--from", "rows.jsonl")
    write(here / "rows.jsonl", [{"prompt": text, "problem_text": "1 + 1?", "gold": 2}])
    init("--from", "rows.jsonl")
    (entry,) = sources(here).values()
    assert entry["columns"] == {"question": "problem_text", "reference_answer": "gold"}


def test_a_question_on_the_tokens_of_a_template_is_one(here: Path) -> None:
    write(here / "rows.jsonl", [{"text": "What is [INST]?"}, {"text": "1 + 1?"}, {"text": "2 + 2?"}])
    assert "3 questions" in init("--from", "rows.jsonl")


def test_options_that_are_not_shown_are_named(here: Path) -> None:
    write(here / "rows.jsonl", [{"question": "1 + 1?", "choices": {"text": ["1", "2"], "label": ["A", "B"]}}])
    assert "choices are no part of the question" in init("--from", "rows.jsonl")
    (entry,) = sources(here).values()
    assert "columns" not in entry  # no label is the answer


@pytest.mark.parametrize("column", ["FAIL_TO_PASS", "test_patch", "base_commit"])
def test_patches_of_a_repository_are_refused_unless_the_question_is_named(here: Path, column: str) -> None:
    write(here / "rows.jsonl", [{"repo": "a/b", "problem_statement": "It fails.", "patch": "diff", column: "[]"}])
    assert "asks for patches of a repository" in refused("--from", "rows.jsonl")
    assert "1 question" in init("--from", "rows.jsonl", "--column", "question=problem_statement")


def test_an_answer_that_thinks_is_a_response_and_no_reference(here: Path) -> None:
    write(here / "rows.jsonl", [{"question": "1 + 1?", "answer": "<think>2</think> 2"}])
    found = json.loads(init("--from", "rows.jsonl", "--json"))["shapes"][0]
    assert found["counts"] == {"questions": 1, "responses": 1} and found["entry"]["teacher"] == "unknown"


def test_a_published_form_is_kept_and_named(here: Path) -> None:
    write(
        here / "r.jsonl", [{"problem": "1 + 1?", "solution": "s", "answer": "2", "generations": ["<think>a</think>2"]}]
    )
    init("--from", "r.jsonl")
    (entry,) = sources(here).values()
    assert entry["adapter"] == "openr1" and "columns" not in entry


PROMPT = [{"role": "user", "content": "1 + 1? End with the answer."}]
LONG = "As one sees by induction on the number of edges of the graph."


@pytest.mark.parametrize(
    ("rows", "entry"),
    [
        # what the form knows to be no reference
        ([{"problem": "1 + 1?", "solution": LONG, "answer": "2"},
          {"problem": "Prove it.", "solution": LONG, "answer": "proof"}], {"adapter": "math"}),
        # that it asks in another column
        ([{"data_source": "a", "prompt": PROMPT, "reward_model": {"ground_truth": "2", "style": "rule"},
           "extra_info": {"question": "1 + 1?", "answer": "#### 2", "index": 0}}], {"adapter": "verl"}),
        # that a column is its response
        ([{"messages": PROMPT, "reasoning": "1 and 1.", "answer": "It is 2.", "model": "r1"}], {"adapter": "dolphin"}),
        # of two that fit, the one by which answers can be checked
        ([{"problem": "1 + 1?", "solution": f"{LONG} \\boxed{{2}}", "messages": [*PROMPT, {"role": "assistant",
           "content": f"{LONG} \\boxed{{2}}"}]}], {"adapter": "math"}),
        ([{"task_type": "verifiable_math", "prompt": "1 + 1?", "verification_info": '{"ground_truth": "2"}',
           "llm_response": THOUGHT, "messages": [*PROMPT, {"role": "assistant", "content": THOUGHT}]}],
         {"adapter": "synthetic1"}),
        # and what it does not read
        ([{"problem": "1 + 1?", "answer": "2", "response": THOUGHT}],
         {"adapter": "jsonl", "columns": {"question": "problem", "reference_answer": "answer"}, "teacher": "unknown"}),
        ([{"messages": [*PROMPT, {"role": "assistant", "content": THOUGHT}], "metadata": '{"expected_answer": "2"}'}],
         {"adapter": "chat", "columns": {"reference_answer": "metadata.expected_answer"}, "teacher": "unknown"}),
        ([{"ask": "1 + 1?", "Options": ["1", "2"], "gold": "B"}],
         {"adapter": "choices", "columns": {"question": "ask", "options": "Options", "answer": "gold"}}),
        ([{"question": "1 + 1?", "choices": ["1", "2"], "answer": "B", "generations": [THOUGHT]}],
         {"adapter": "choices", "columns": {"options": "choices", "answer": "answer", "response": "generations"},
          "teacher": "unknown"}),
    ],
)  # fmt: skip
def test_a_published_form_yields_to_a_guess_that_reads_more_of_the_same_question(
    here: Path, rows: list, entry: dict
) -> None:
    write(here / "rows.jsonl", rows)
    assert json.loads(init("--from", "rows.jsonl", "--json"))["shapes"][0]["entry"] == {
        "location": str(here / "rows.jsonl"), **entry
    }  # fmt: skip


@pytest.mark.parametrize(
    ("beside", "reference"),
    [
        ({"result": "pass"}, None),
        ({"label": 1}, None),
        ({"label": True, "answer": "2"}, "answer"),
        ({"label": "2"}, "label"),
        ({"label": "sums", "answer": "2"}, "answer"),
        ({"metadata": '{"label": "2", "answer": "3"}'}, None),
        ({"ground_truth": '{"pytest": "def test_f(): assert f() == 2"}'}, None),
        ({"A": "2", "B": "3"}, None),
        ({"label": "easy"}, None),
        ({"metadata": '{"reference": "Vol. 2"}'}, None),
        ({"reference": "A journal of numbers, volume 3, on page 17", "answer": "2"}, "answer"),
    ],
)
def test_what_came_of_a_response_is_no_reference(here: Path, beside: dict, reference: str | None) -> None:
    write(here / "rows.jsonl", [{"question": "1 + 1?", "response": THOUGHT, **beside}])
    init("--from", "rows.jsonl")
    (entry,) = sources(here).values()
    assert entry.get("columns", {}).get("reference_answer") == reference


def test_what_a_program_is_given_is_no_question(here: Path) -> None:
    write(here / "rows.jsonl", [{"code": "def f(x):\n    return x", "input": "'a'", "output": "'a'"}])
    assert "nothing in it is a question" in refused("--from", "rows.jsonl")
    write(here / "rows.jsonl", [{"code": "def solution(): return 3", "input": "Of 5 pears Ann eats two.", "target": 3}])
    init("--from", "rows.jsonl")
    (entry,) = sources(here).values()
    assert entry["columns"] == {"question": "input", "reference_answer": "target"}


def test_responses_that_do_not_think_leave_the_question_to_the_teacher(here: Path) -> None:
    plain = "It is a harbour.\nShips lie there.\n" * 10
    write(here / "rows.jsonl", [{"question": "What is that?", "response": plain}])
    assert "do not think" in init("--from", "rows.jsonl")
    recipe = load_project(here / "mine", here / "mine" / "sources.yaml").recipe("main")
    assert not recipe.teacher.published


def test_rows_without_a_question_are_left_out_and_named_ones_win(here: Path) -> None:
    write(here / "rows.jsonl", [{"prompt": "1 + 1?", "ask": "Why?"}, {"prompt": None, "gold": "2"}])
    init("--from", "rows.jsonl", "--column", "question=ask")
    (entry,) = sources(here).values()
    assert entry["columns"] == {"question": "ask"}


def test_a_file_without_a_question_is_refused_by_name(here: Path) -> None:
    write(here / "rows.jsonl", [{"alpha": "1", "beta": 2}])
    said = refused("--from", "rows.jsonl")
    assert (
        "rows.jsonl: nothing in it is a question: its columns are alpha, beta" in said and "--column question=" in said
    )
    assert not (here / "mine").exists()


def test_what_is_there_is_never_overwritten(here: Path) -> None:
    init()
    (here / "mine" / "recipes" / "main.yaml").write_text("edited")
    assert "nothing was written" in refused()
    assert (here / "mine" / "recipes" / "main.yaml").read_text() == "edited"


def test_a_folder_is_named_as_a_shell_takes_it_and_one_that_cant_be_written_is_refused(here: Path) -> None:
    write(here / "own.jsonl", answered(4))
    said = CliRunner().invoke(app, ["init", "my project", "--from", "own.jsonl"])
    assert "export AM_DATA='my project'\n" in said.output
    refused = CliRunner().invoke(app, ["init", "own.jsonl/mine", "--from", "own.jsonl"])
    assert refused.exit_code == 2
    assert refused.output == "own.jsonl/mine: Not a directory: name another folder\n"


def test_names_of_the_catalogue_a_teacher_and_a_judge(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    said = init("--from", "openr1-math", "--teacher", "openai/gpt-4.1", "--judge", "openai/gpt-4.1-mini")
    assert sources(here) == {"use": ["openr1-math"]} and "OPENAI_API_KEY" in said
    made = load_project(here / "mine", here / "mine" / "sources.yaml")
    teacher = made.recipe("main").teacher
    assert (teacher.model, teacher.examples, teacher.max_tokens) == ("openai/gpt-4.1", [], 32_768)
    assert made.instruments.labels.model == "openai/gpt-4.1-mini" == made.instruments.reward.model
    assert set(made.endpoints) == {"openai/gpt-4.1", "openai/gpt-4.1-mini"}


def test_a_misspelt_name_is_refused_before_anything_is_written(here: Path) -> None:
    assert "openr1-math" in refused("--from", "openr1-mathh")
    assert "smollm2" in refused("--teacher", "embedded/smolm2-135m-instruct")
    assert not (here / "mine").exists()


def test_a_project_needs_its_sources_alone(here: Path) -> None:
    write(here / "rows.jsonl", asked(2))
    (here / "mine").mkdir()
    (here / "mine" / "sources.yaml").write_text(
        f"own: {{location: {here}/rows.jsonl, adapter: jsonl, columns: {{question: prompt}}, rank: 1}}\n"
    )
    made = load_project(here / "mine", here / "mine" / "sources.yaml")
    assert made.recipe_names == ["default"] and not made.broken and not made.benchmarks
    ran = CliRunner().invoke(app, ["plan", "--json"])
    steps = json.loads(ran.output)["steps"]
    assert ("sft_dataset", "default") in {(one["asset"], one["partition"]) for one in steps}


OWN = ["http://127.0.0.1:8000/v1", "http://[::1]:8000/v1", "http://10.1.2.3/v1", "http://gpu-7:8000/v1", "http://a.lan"]
OTHERS = ["https://api.example.com/v1", "http://8.8.8.8/v1"]


@pytest.mark.parametrize("api_base", [*OWN, *OTHERS])
def test_a_server_of_ones_own_is_written_down_as_free_and_no_other(
    here: Path, monkeypatch: pytest.MonkeyPatch, api_base: str
) -> None:
    monkeypatch.delenv("TEACHER_API_KEY", raising=False)
    write(here / "questions.jsonl", asked(1))
    said = init("--from", "questions.jsonl", "--teacher", "openai/mine", "--api-base", api_base)
    [[endpoint]] = load_project(here / "mine", here / "mine" / "sources.yaml").endpoints.values()
    own = api_base in OWN
    assert endpoint.api_base == api_base and endpoint.prices("openai/mine") == ((0, 0) if own else None)
    assert (endpoint.api_key_env is None) is own and ("TEACHER_API_KEY" in said) is not own
