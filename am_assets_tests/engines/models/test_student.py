import json
import shutil
from pathlib import Path
from urllib.request import Request, urlopen

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from am_assets.engines.models.bundled import BUNDLED
from am_assets.engines.models.student import StudentError, generate, student_folder, weights_sha256

QUESTIONS = ["What is 2 plus 3?", "Name three colours of the rainbow, please, and say why you like each.", "Say yes."]


@pytest.fixture
def embedded(exported: Path) -> Path:
    return student_folder(BUNDLED, exported)


def prompts(questions: list[str] = QUESTIONS, samples: int = 1) -> pl.DataFrame:
    rows = [
        (f"{question}#{seed}", json.dumps([{"role": "user", "content": question}]), seed)
        for question in questions
        for seed in range(samples)
    ]
    return pl.DataFrame(rows, schema=["key", "messages", "seed"], orient="row")


def answers(folder: Path, asked: pl.DataFrame, temperature: float = 0, max_tokens: int = 12, **knobs) -> pl.DataFrame:
    knobs = {"dtype": "float32"} | knobs  # in which rounding does not decide between two tokens
    frames = generate(folder, asked, temperature=temperature, top_p=0.95, max_tokens=max_tokens, **knobs)
    return pl.concat(frames).sort("key")


def test_a_folder_is_a_student_of_its_own(tmp_path):
    assert student_folder(str(tmp_path), tmp_path / "cache") == tmp_path


def test_a_student_that_is_nowhere_is_an_error_that_names_it(tmp_path):
    with pytest.raises(StudentError, match="'no/such-student' is neither a local folder nor to be had"):
        student_folder("no/such-student", tmp_path)


def test_the_hash_is_of_the_content_not_of_the_place(tmp_path):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "there" / "README.md").write_text("not part of the model")
    same = weights_sha256(tmp_path / "here")
    assert weights_sha256(tmp_path / "there") == same
    (tmp_path / "there" / "config.json").write_text('{"vocab_size": 9}')
    assert weights_sha256(tmp_path / "there") != same


def test_a_folder_without_weights_has_no_hash(tmp_path):
    with pytest.raises(StudentError, match=r"no \*.safetensors here"):
        weights_sha256(tmp_path)


@pytest.mark.slow
@pytest.mark.model
def test_the_embedded_student_is_exported_once_as_a_trainable_model(embedded, exported):
    config = json.loads((embedded / "config.json").read_text())
    assert "quantization_config" not in config
    assert (embedded / "chat_template.jinja").exists() and (embedded / "tokenizer.json").exists()
    written = (embedded / "model.safetensors").stat().st_mtime_ns
    assert student_folder(BUNDLED, exported) == embedded
    assert (embedded / "model.safetensors").stat().st_mtime_ns == written
    assert [path.name for path in exported.iterdir()] == [embedded.name]


@pytest.mark.slow
@pytest.mark.model
def test_the_export_answers_as_the_packaged_model_does(embedded, model_server):
    """Greedy answers of the exported weights and of llama.cpp on the GGUF begin alike."""
    body = {"messages": json.loads(prompts()["messages"][0]), "temperature": 0, "max_tokens": 6}
    headers = {"content-type": "application/json"}
    with urlopen(Request(f"{model_server.url}/chat/completions", json.dumps(body).encode(), headers)) as reply:
        theirs = json.load(reply)["choices"][0]["message"]["content"]
    ours = answers(embedded, prompts(QUESTIONS[:1]), max_tokens=6)["response"].item()
    assert ours.strip() == theirs.strip()


@pytest.mark.slow
@pytest.mark.model
def test_every_prompt_gets_one_answer_within_the_limit(embedded):
    result = answers(embedded, prompts(), batch_size=2)
    assert result["key"].to_list() == sorted(prompts()["key"])
    assert result["completion_tokens"].max() <= 12
    long = result.filter(pl.col("finish_reason") == "length")
    assert (long["completion_tokens"] == 12).all()
    assert set(result["finish_reason"]) <= {"stop", "length"} and "length" in set(result["finish_reason"])


@pytest.mark.slow
@pytest.mark.model
def test_padding_beside_a_longer_prompt_does_not_change_a_greedy_answer(embedded):
    assert_frame_equal(answers(embedded, prompts(), batch_size=3), answers(embedded, prompts(), batch_size=1))


@pytest.mark.slow
@pytest.mark.model
def test_samples_differ_by_seed_and_are_the_same_again(embedded):
    asked = prompts(QUESTIONS[1:2], samples=4)
    first = answers(embedded, asked, temperature=1.0)
    assert first["response"].n_unique() > 1
    assert_frame_equal(answers(embedded, asked.reverse(), temperature=1.0), first)


@pytest.mark.slow
@pytest.mark.model
def test_a_student_is_known_by_its_weights_wherever_it_is_copied(embedded, tmp_path):
    shutil.copytree(embedded, tmp_path / "copy")
    assert weights_sha256(tmp_path / "copy") == weights_sha256(embedded)
