"""What would stop an apply is listed by `am plan`, and refused by `am apply` before its first stage runs."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner, Result

from am_assets_tests.desk import FREE, MODEL, RECIPE, Desk, at_desk
from am_assets_tests.scripted import Teacher, answer
from am_assets_tests.students import TEMPLATE, write_tiny_student

LABELS = "+question_labels"
LABEL = json.dumps({"category": "math", "difficulty": "easy"})


@pytest.fixture
def server() -> Iterator[Teacher]:
    teacher = Teacher(lambda *_: answer(LABEL))
    yield teacher
    teacher.stop()


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Teacher) -> Desk:
    """A desk in whose way nothing stands; its model is scripted."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    desk = at_desk(tmp_path, server, monkeypatch)  # type: ignore[arg-type]
    for name in ("OPENAI_API_KEY", "MISTRAL_API_KEY", "UNSET_KEY"):
        monkeypatch.delenv(name, raising=False)
    return desk


def am(desk: Desk, *arguments: str) -> Result:
    desk.open(None, None)  # the folder as it is now
    from am_assets.cli import app

    return CliRunner(env={"COLUMNS": "300"}).invoke(app, arguments)


def problems(desk: Desk, *arguments: str) -> list[str]:
    planned = am(desk, "plan", "-r", "plain", *arguments, "--json")
    assert planned.exit_code == 0, planned.output
    return json.loads(planned.stdout)["problems"]


def rewrite(desk: Desk, file: str, **entries: object) -> None:
    desk.write(file, {**yaml.safe_load((desk.folder / file).read_text()), **entries})


def endpoint(desk: Desk, **changes: object) -> None:
    entry = yaml.safe_load((desk.folder / "endpoints.yaml").read_text())[MODEL] | changes
    desk.write("endpoints.yaml", {MODEL: {name: value for name, value in entry.items() if value is not None}})


def labeler(desk: Desk, model: str, entry: dict) -> None:
    rewrite(desk, "instruments.yaml", labels={"model": model})
    rewrite(desk, "endpoints.yaml", **{model: entry})


def student(desk: Desk, spoil: Callable[[Path], object]) -> None:
    """Students are named relative to the folder where work is done, as is the desk here."""
    os.chdir(desk.folder)
    spoil(write_tiny_student(Path("students", "tiny")))
    desk.edit("plain", "training", student="students/tiny")


def cut(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-100])


def shard(folder: Path, other: str) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": other}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def adapter(folder: Path) -> None:
    (folder / "config.json").unlink()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "some/base"}))


def cut_the_think_part(folder: Path) -> None:
    cutting = TEMPLATE.replace("m.content", "m.content.split('</think>')[-1]")
    (folder / "chat_template.jinja").write_text(cutting)


def close_the_think_part(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(
        TEMPLATE.replace("<|assistant|>' }}", "<|assistant|><think></think>' }}")
    )


def configure(folder: Path, **fields: object) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def add_a_token(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_special_tokens({"extra_special_tokens": ["<|turn|>"]})
    tokenizer.chat_template = TEMPLATE.replace("<|end|>", "<|end|><|turn|>")
    tokenizer.save_pretrained(folder)


NO_PRICE = {"input_price": None, "output_price": None}


MISTAKES = {
    "a key that is not set": (
        lambda desk: endpoint(desk, api_key_env="UNSET_KEY"),
        LABELS,
        f"endpoints.yaml: {MODEL} (asked for question_labels): api_key_env: {MODEL}: the environment variable UNSET",
    ),
    "a key that litellm looks for": (
        lambda desk: labeler(desk, "mistral/mistral-small-latest", {}),
        LABELS,
        "set MISTRAL_API_KEY in the environment, or api_key_env in endpoints.yaml",
    ),
    "no price": (
        lambda desk: endpoint(desk, **NO_PRICE),
        LABELS,
        f"endpoints.yaml: {MODEL} (asked for question_labels): input_price, output_price: neither stands here",
    ),
    "half a price": (lambda desk: endpoint(desk, input_price=3, output_price=None), LABELS, "output_price is missing"),
    "nobody at the address": (
        lambda desk: endpoint(desk, api_base="http://127.0.0.1:1/v1"),
        LABELS,
        "api_base: nothing answers at http://127.0.0.1:1/v1",
    ),
    "no address": (lambda desk: endpoint(desk, api_base="localhost:80/v1"), LABELS, "localhost:80/v1 is no address"),
    "no gguf": (
        lambda desk: labeler(desk, "embedded/mine", {"gguf": "$NO_SUCH_GGUF"}),
        LABELS,
        "endpoints.yaml: embedded/mine (asked for question_labels): gguf: $NO_SUCH_GGUF: no such file",
    ),
    "no batches": (
        lambda desk: labeler(desk, "mistral/x", {"api_key_env": "TEST_MODEL_KEY", "batch": True, **FREE}),
        LABELS,
        "batch: mistral has no offline batches here, only hosted_vllm, openai",
    ),
    "no file": (
        lambda desk: (desk.folder / "pool" / "open.jsonl").unlink(),
        "raw_pool",
        "sources.yaml: open: location: ",
    ),
    "a variable in a location": (
        lambda desk: rewrite(desk, "benchmarks.yaml", held_out={"location": "$UNSET_KEY/a.jsonl", "adapter": "jsonl"}),
        "benchmark_questions",
        "benchmarks.yaml: held_out: location: $UNSET_KEY/a.jsonl: the environment variable UNSET_KEY is not set",
    ),
    "a hub out of reach": (
        lambda desk: rewrite(
            desk, "sources.yaml", far={"location": "hf://datasets/no/such/a.jsonl", "adapter": "jsonl", "rank": 1}
        ),
        LABELS,
        "sources.yaml: far: location: hf://datasets/no/such/a.jsonl can't be had from the hub: ",
    ),
    "rows that are no rows": (
        lambda desk: (desk.folder / "pool" / "open.jsonl").write_text("{}\n"),
        LABELS,
        "open.jsonl:1",
    ),
    "a student of the hub": (
        lambda desk: desk.edit("plain", "training", student="no/such-student"),
        "sft_checkpoint",
        "recipes/plain.yaml: training.student: no/such-student is no folder, and can't be had from the hub: ",
    ),
    "a folder without a model": (
        lambda desk: desk.edit("plain", "training", student=str(desk.folder / "pool")),
        "benchmark_responses",
        "pool: the folder holds no config.json, so no model",
    ),
    "a student without weights": (
        lambda desk: student(desk, lambda folder: (folder / "model.safetensors").unlink()),
        "sft_checkpoint",
        "training.student: students/tiny: no *.safetensors here, no weights: add them",
    ),
    "a student whose weights are cut off": (
        lambda desk: student(desk, lambda folder: cut(folder / "model.safetensors")),
        "benchmark_responses",
        "students/tiny: model.safetensors: missing or cut off: copy the weights there again",
    ),
    "a student whose shards are not all there": (
        lambda desk: student(desk, lambda folder: shard(folder, "model-00002-of-00002.safetensors")),
        "sft_checkpoint",
        "students/tiny: model-00002-of-00002.safetensors: missing or cut off",
    ),
    "a student of pickled weights": (
        lambda desk: student(desk, lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin")),
        "sft_checkpoint",
        "no *.safetensors here, only pytorch_model.bin, which could run code: convert it",
    ),
    "a LoRA adapter": (
        lambda desk: student(desk, adapter),
        "sft_checkpoint",
        "students/tiny: a LoRA adapter of some/base and no model by itself: merge it into that, and name the result",
    ),
    "a student without a tokenizer": (
        lambda desk: student(desk, lambda folder: [path.unlink() for path in folder.glob("tokenizer*")]),
        "sft_checkpoint",
        "students/tiny: no tokenizer that can be loaded",
    ),
    "a tokenizer without a template": (
        lambda desk: student(desk, lambda folder: (folder / "chat_template.jinja").unlink()),
        "sft_checkpoint",
        "students/tiny: the student's tokenizer has no chat template",
    ),
    "a template that closes the think part": (
        lambda desk: student(desk, close_the_think_part),
        "sft_checkpoint",
        "students/tiny: the student's chat template closes the <think> part",
    ),
    "a config of more layers than there are weights": (
        lambda desk: student(desk, lambda folder: configure(folder, num_hidden_layers=3)),
        "sft_checkpoint",
        "students/tiny: its weights lack, or have in other shapes, 9 of those that its config.json asks for",
    ),
    "a config of another width": (
        lambda desk: student(desk, lambda folder: configure(folder, intermediate_size=128)),
        "sft_checkpoint",
        "students/tiny: its weights lack, or have in other shapes, 6 of those that its config.json asks for",
    ),
    "an encoder": (
        lambda desk: student(desk, lambda folder: configure(folder, architectures=["LlamaForSequenceClassification"])),
        "sft_checkpoint",
        "is LlamaForSequenceClassification, where a student has LlamaForCausalLM",
    ),
    "an architecture that is not known": (
        lambda desk: student(desk, lambda folder: configure(folder, model_type="frobnicator")),
        "sft_checkpoint",
        "students/tiny: transformers makes no language model of it: ",
    ),
    "quantized weights": (
        lambda desk: student(desk, lambda folder: configure(folder, quantization_config={"quant_method": "gptq"})),
        "sft_checkpoint",
        "students/tiny: its weights are quantized (gptq), which can't be trained",
    ),
    "a token without an embedding": (
        lambda desk: student(desk, add_a_token),
        "sft_checkpoint",
        "students/tiny: the model has 260 embeddings, and none for <|turn|> of its tokenizer",
    ),
    "a student served by an engine for GGUF files": (
        lambda desk: rewrite(desk, "endpoints.yaml", student={"serve": {"engine": "llama"}}),
        "benchmark_responses",
        "endpoints.yaml: student: gguf: student/embedded/smollm2-135m-instruct: llama serves GGUF files",
    ),
    "a student whose engine is not installed": (
        lambda desk: rewrite(desk, "endpoints.yaml", student={"serve": {"engine": "vllm", "python": "/no/such"}}),
        "benchmark_responses",
        "endpoints.yaml: student: serve.python: /no/such: no interpreter",
    ),
    "a student on GPUs that are not there": (
        lambda desk: rewrite(desk, "endpoints.yaml", student={"serve": {"engine": "transformers", "gpus": 2}}),
        "benchmark_responses",
        "serve.gpus: 2 GPUs are declared, with those of all replicas, and this machine shows none",
    ),
    "an embedder of the hub": (
        lambda desk: rewrite(desk, "instruments.yaml", embeddings={"model": "no/such-embedder"}),
        "question_embeddings",
        "instruments.yaml: embeddings.model: no/such-embedder is no folder, and can't be had from the hub: ",
    ),
    "a reward model of the hub": (
        lambda desk: rewrite(desk, "instruments.yaml", reward={"model": "hf/no/such-judge"}),
        "reward_scores",
        "instruments.yaml: reward.model: no/such-judge is no folder, and can't be had from the hub: ",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_stands_in_the_way_is_listed_by_plan_and_refused_by_apply(
    taught: Desk, server: Teacher, mistake: str
) -> None:
    mislead, select, says = MISTAKES[mistake]
    mislead(taught)
    [problem] = problems(taught, "-s", select)
    assert says in problem
    assert f"In the way: {problem}" in am(taught, "plan", "-r", "plain", "-s", select).stderr
    refused = am(taught, "apply", "-r", "plain", "-s", select)
    assert refused.exit_code == 2
    assert problem in refused.stderr
    assert not (taught.folder / "assets").exists()
    assert server.asked == []


def test_all_problems_are_told_at_once(taught: Desk) -> None:
    endpoint(taught, api_key_env="UNSET_KEY", api_base="http://127.0.0.1:1/v1", **NO_PRICE)
    (taught.folder / "pool" / "open.jsonl").unlink()
    taught.edit("plain", "training", student="no/such-student")
    told = problems(taught)
    for says in ("open: location", "UNSET_KEY", "input_price", "nothing answers", "no/such-student"):
        assert sum(says in problem for problem in told) == 1
    assert len(told) == 5
    assert "question_labels, responses, reward_scores" in told[1]


def test_only_what_the_planned_steps_need_is_looked_at(taught: Desk, server: Teacher) -> None:
    """The teacher has no key and the student can't be had; neither has to do with labels."""
    taught.edit("plain", "teacher", model="openai/gpt-4.1-mini")
    taught.edit("plain", "training", student="no/such-student")
    assert problems(taught, "-s", LABELS) == []
    ended = am(taught, "apply", "-r", "plain", "-s", LABELS)
    assert ended.exit_code == 0, ended.output
    assert server.asked
    assert any("OPENAI_API_KEY" in problem for problem in problems(taught, "-s", "responses"))
    endpoint(taught, api_key_env="UNSET_KEY", api_base="http://127.0.0.1:1/v1")
    assert problems(taught, "-s", LABELS) == []  # all is up to date
    assert am(taught, "apply", "-r", "plain", "-s", LABELS).exit_code == 0


def test_a_stale_step_whose_answers_are_all_stored_needs_no_key(taught: Desk) -> None:
    assert am(taught, "apply", "-r", "plain", "-s", LABELS).exit_code == 0
    taught.remove("question_labels", "open")
    rewrite(taught, "sources.yaml", sums=taught.source("sums", 5))
    endpoint(taught, api_key_env="UNSET_KEY")
    assert problems(taught, "-s", LABELS) == []
    assert am(taught, "apply", "-r", "plain", "-s", LABELS).exit_code == 0


def test_a_step_whose_tables_are_not_there_is_planned_and_fails_by_itself(taught: Desk) -> None:
    assert problems(taught, "-s", "responses") == []
    failed = am(taught, "apply", "-r", "plain", "-s", "question_labels")
    assert failed.exit_code == 1
    assert "raw_pool has no partition sums yet: materialize it first" in failed.stderr


def test_of_several_endpoints_one_that_answers_is_enough_but_each_needs_its_price(
    taught: Desk, server: Teacher
) -> None:
    reach = {"api_key_env": "TEST_MODEL_KEY", **FREE}
    there, away = {**reach, "api_base": server.url}, {**reach, "api_base": "http://127.0.0.1:1/v1"}
    taught.write("endpoints.yaml", {MODEL: [there, away]})
    assert problems(taught, "-s", LABELS) == []
    taught.write("endpoints.yaml", {MODEL: [there, {"api_base": server.url, "api_key_env": "TEST_MODEL_KEY"}]})
    [unpriced] = problems(taught, "-s", LABELS)
    assert "input_price" in unpriced


@pytest.mark.parametrize("price", [{"input_price": 0}, {"output_price": 0}, {"input_price": 1, "output_price": 2}])
def test_a_price_that_is_written_will_do(taught: Desk, price: dict) -> None:
    endpoint(taught, **{**NO_PRICE, **price})
    assert problems(taught, "-s", LABELS) == []


def test_a_file_that_went_after_it_was_read_is_told_with_its_source(taught: Desk) -> None:
    assert am(taught, "apply", "-r", "plain", "-s", "raw_pool or benchmark_questions").exit_code == 0
    before = pl.read_parquet(taught.folder / "assets" / "raw_pool" / "open.parquet")
    (taught.folder / "pool" / "open.jsonl").unlink()
    (taught.folder / "pool" / "held_out.jsonl").unlink()
    told = problems(taught, "-s", "raw_pool or benchmark_questions")
    assert sorted(problem.split(": ")[1] for problem in told) == ["held_out", "open"]
    assert am(taught, "apply", "-r", "plain", "-s", "raw_pool").exit_code == 2
    assert pl.read_parquet(taught.folder / "assets" / "raw_pool" / "open.parquet").equals(before)


def test_the_bundled_model_costs_nothing_and_needs_nothing(taught: Desk) -> None:
    bundled = "embedded/smollm2-135m-instruct"
    taught.write("endpoints.yaml", {})
    rewrite(taught, "instruments.yaml", labels={"model": bundled}, reward={"model": bundled})
    taught.recipe("plain", {**RECIPE, "teacher": {"model": bundled}})
    assert problems(taught) == []


@pytest.mark.parametrize("spoil", [lambda folder: None, cut_the_think_part], ids=["plain", "cuts thoughts it shows"])
def test_a_student_in_a_folder_that_can_be_trained_is_no_problem(taught: Desk, spoil: Callable[[Path], object]) -> None:
    student(taught, spoil)
    assert problems(taught, "-s", "sft_checkpoint or benchmark_responses") == []


@pytest.mark.parametrize(
    ("name", "says"), [("wanddb", "wanddb is none of trackio, wandb, tensorboard"), ("trackio", "pip install trackio")]
)
def test_a_reporter_that_is_not_there_is_told_where_a_student_is_trained(
    taught: Desk, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setenv("AM_REPORT_TO", name)
    monkeypatch.setattr("am_assets.training.sft.find_spec", lambda _: None)
    student(taught, lambda folder: None)
    [problem] = problems(taught, "-s", "sft_checkpoint")
    assert problem.startswith("AM_REPORT_TO: ") and says in problem
    assert problems(taught, "-s", LABELS) == []
