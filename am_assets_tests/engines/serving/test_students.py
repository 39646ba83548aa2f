"""Students through a server. A stand-in plays vllm: see `standin.py`."""

import json
from pathlib import Path

import polars as pl
import pytest

from am_assets.engines.llm import LlmError
from am_assets.engines.models.answering import answers
from am_assets.engines.models.student import GENERATION, StudentError
from am_assets_tests.engines.serving.playing import Standin, endpoint
from am_assets_tests.students import write_tiny_student


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_student(tmp_path_factory.mktemp("student"))


def prompts(count: int = 4) -> pl.DataFrame:
    messages = [json.dumps([{"role": "user", "content": f"question {number}"}]) for number in range(count)]
    return pl.DataFrame({"key": [f"k{n}" for n in range(count)], "messages": messages, "seed": range(count)})


def test_a_served_student_gives_the_rows_of_one_in_the_process(standin: Standin, tiny: Path):
    config = tiny / "generation_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"repetition_penalty": 1.5}))
    asked = prompts().with_columns(max_tokens=pl.int_range(10, 14))
    table = pl.concat(answers("Qwen/Qwen2.5-7B", tiny, asked, [endpoint()], temperature=0.7, top_p=0.9)).sort("key")
    assert table.schema == GENERATION
    assert table.row(1) == ("k1", "answer to question 1", "stop", 5, "vllm")
    start, bodies = standin.lines("starts")[0], [line["body"] for line in standin.lines("asked")]
    assert start["argv"][:2] == ["serve", str(tiny)]
    assert sorted((body["seed"], body["max_tokens"]) for body in bodies) == [(0, 10), (1, 11), (2, 12), (3, 13)]
    same = {"temperature": 0.7, "top_p": 0.9, "top_k": -1, "repetition_penalty": 1.5, "model": "Qwen/Qwen2.5-7B"}
    assert all(body.items() >= same.items() for body in bodies)


def test_a_student_without_a_template_is_refused_before_a_server_starts(standin: Standin, tmp_path: Path):
    folder = write_tiny_student(tmp_path / "bare")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(StudentError, match="no chat template"):
        list(answers("mine", folder, prompts(), [endpoint()], temperature=0, top_p=1, max_tokens=4))
    assert not standin.lines("starts")


def test_what_was_answered_before_a_server_failed_is_kept(standin: Standin, tiny: Path):
    standin.says(log="CUDA error: out of memory")
    got = answers("mine", tiny, prompts(), [endpoint()], temperature=0, top_p=1, max_tokens=4)
    with pytest.raises(LlmError, match=r"student/mine: .*memory ran out"):
        list(got)
