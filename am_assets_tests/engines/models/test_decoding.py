"""Answers decoded in one continuous batch are those that transformers gives each prompt alone."""

import json
from pathlib import Path

import polars as pl
import pytest
import torch

from am_assets.engines.models.decoding import Decoder, Prompt, Sampling, answers_of, sampled
from am_assets.engines.models.products import for_few_rows
from am_assets.engines.models.student import GENERATION, StudentError, generate
from am_assets_tests.students import write_tiny_student

ENDS = [*range(0, 256, 37)]  # of so many tokens that answers end at all lengths


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_student(tmp_path_factory.mktemp("tiny"), seed=3)


@pytest.fixture(scope="module")
def model(tiny: Path):
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(tiny, dtype=torch.float32).eval()
    loaded.lm_head.weight.data *= 20  # else its random weights say the same token again and again
    loaded.generation_config.eos_token_id = ENDS
    return loaded


def sliding(window: int):
    """A model whose layers see the last tokens only."""
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(5)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = MistralConfig(vocab_size=260, num_key_value_heads=1, sliding_window=window, pad_token_id=0, **sizes)
    made = MistralForCausalLM(config).eval()
    made.lm_head.weight.data *= 20
    made.generation_config.eos_token_id = ENDS
    return made


def test_layers_that_see_the_last_tokens_only_answer_alike():
    model, asked = sliding(8), prompts(12)
    assert decoded(model, asked, 5) == {prompt.key: alone(model, prompt) for prompt in asked}


def test_a_model_with_other_layers_answers_one_prompt_at_a_time(model, monkeypatch: pytest.MonkeyPatch):
    asked = prompts(3)
    monkeypatch.setattr(model, "_is_stateful", True)
    steps = list(answers_of(model, Sampling(0, 1), 0, 4, asked))
    assert [(one.prompt, (one.tokens, one.finished)) for (one,) in steps] == [(p, alone(model, p)) for p in asked]


@pytest.mark.parametrize("bias", [False, True])
def test_linear_layers_for_few_rows_are_those_of_torch(bias: bool):
    layer, other = torch.nn.Linear(9, 5, bias=bias), torch.nn.Linear(9, 5).bfloat16()
    inputs = {rows: torch.randn(rows, 3, 9) for rows in [*range(1, 8), 30]}
    wanted = {rows: layer(given) for rows, given in inputs.items()}
    for_few_rows(torch.nn.ModuleList([layer, other]))
    for rows, given in inputs.items():
        torch.testing.assert_close(layer(given), wanted[rows])
    assert layer(inputs[1][0, 0]).shape == (5,)
    assert layer(inputs[1][:0]).shape == (0, 3, 5)
    assert other.forward == torch.nn.Linear.forward.__get__(other)


def prompts(count: int, limit: int = 24) -> list[Prompt]:
    """Of 3 to 40 tokens, some with limits of their own."""
    draw = torch.Generator().manual_seed(7)
    made = []
    for number in range(count):
        length = int(torch.randint(3, 40, (1,), generator=draw))
        tokens = torch.randint(4, 250, (length,), generator=draw).tolist()
        made.append(Prompt(str(number), tokens, limit * 8 if number % 10 == 3 else limit, number))
    return made


def decoded(model, asked: list[Prompt], slots: int, sampling: Sampling | None = None) -> dict[str, tuple]:
    decoder = Decoder(model, sampling or Sampling(0, 1), pad=0, slots=slots)
    ended = [one for step in decoder.answers(asked) for one in step]
    assert len(ended) == len(asked)
    return {one.prompt.key: (one.tokens, one.finished) for one in ended}


def alone(model, prompt: Prompt) -> tuple[list[int], bool]:
    output = model.generate(
        torch.tensor([prompt.tokens]), max_new_tokens=prompt.limit, do_sample=False, use_cache=True, pad_token_id=0
    )
    tokens = output[0, len(prompt.tokens) :].tolist()
    return (tokens[:-1], True) if tokens[-1] in ENDS else (tokens, False)


@pytest.mark.parametrize("slots", [1, 4, 23])
def test_greedy_answers_are_those_of_each_prompt_alone(model, slots: int):
    asked = prompts(23)
    expected = {prompt.key: alone(model, prompt) for prompt in asked}
    ends = [finished for _, finished in expected.values()]
    assert 3 < sum(ends) < 20, "the prompts show nothing: all end alike"
    assert decoded(model, asked, slots) == expected


def test_samples_depend_on_their_prompt_and_seed_and_on_nothing_beside_them(model):
    asked = prompts(12)
    sampling = Sampling(0.9, 0.95)
    together = decoded(model, asked, 12, sampling)
    assert decoded(model, asked[::-1], 3, sampling) == together
    other = [Prompt(prompt.key, prompt.tokens, prompt.limit, prompt.seed + 1) for prompt in asked]
    assert sum(decoded(model, other, 12, sampling)[key] == answer for key, answer in together.items()) <= 1


def test_samples_come_from_the_nucleus_in_proportion():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(1000, 1)
    draws = torch.linspace(0, 0.9999, 1000)
    counts = sampled(logits, draws, Sampling(1.0, 0.7)).bincount(minlength=4).tolist()
    assert counts[2:] == [0, 0] and counts[0] == pytest.approx(625, abs=2)  # of 0.5 and 0.3
    counts = sampled(logits, draws, Sampling(1.0, 1.0)).bincount(minlength=4).tolist()
    assert counts == pytest.approx([500, 300, 150, 50], abs=2)
    cold = sampled(logits, draws, Sampling(0.01, 0.95))
    assert set(cold.tolist()) == {0}


def test_a_nucleus_wider_than_most_is_sorted_whole(monkeypatch: pytest.MonkeyPatch):
    from am_assets.engines.models import decoding

    logits, draws = -0.05 * torch.arange(64.0).repeat(200, 1), torch.linspace(0, 0.999, 200)
    whole = sampled(logits, draws, Sampling(1.0, 0.9))
    monkeypatch.setattr(decoding, "WIDEST", 8)
    assert sampled(logits, draws, Sampling(1.0, 0.9)).tolist() == whole.tolist()
    assert 30 < int(whole.max()) < 50


def asked_of_students(count: int = 9) -> pl.DataFrame:
    messages = [json.dumps([{"role": "user", "content": f"What is {n} and {n * n}?"}]) for n in range(count)]
    return pl.DataFrame({"key": [str(n) for n in range(count)], "messages": messages, "seed": range(count)})


def test_every_prompt_has_its_own_limit_and_the_engine_is_recorded(tiny: Path):
    asked = asked_of_students().with_columns(max_tokens=pl.int_range(1, 10))
    frames = list(generate(tiny, asked, temperature=0, top_p=1, batch_size=4, dtype="float32"))
    table = pl.concat(frames).sort("key")
    assert table.schema == GENERATION
    assert (table["completion_tokens"] <= asked["max_tokens"]).all()
    long = table.filter(pl.col("finish_reason") == "length").join(asked, on="key")
    assert long.height and (long["completion_tokens"] == long["max_tokens"]).all()
    assert set(table["engine"]) == {"in-process"}


def test_an_interrupt_loses_no_answer_that_is_complete(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    from am_assets.engines.models import student

    monkeypatch.setattr(student, "FRAME_SECONDS", 0.0)
    asked = asked_of_students(20).with_columns(max_tokens=pl.int_range(1, 21))
    frames = generate(tiny, asked, temperature=0, top_p=1, batch_size=4, dtype="float32")
    next(frames)
    monkeypatch.setattr(student, "FRAME_SECONDS", 1e9)
    with pytest.raises(KeyboardInterrupt):
        frames.throw(KeyboardInterrupt())


def test_the_penalties_of_the_weights_own_config_count(tiny: Path, tmp_path: Path):
    import shutil

    shutil.copytree(tiny, tmp_path / "penalized")
    config = json.loads((tiny / "generation_config.json").read_text()) | {"repetition_penalty": 5.0}
    (tmp_path / "penalized" / "generation_config.json").write_text(json.dumps(config))

    def distinct(folder: Path) -> float:
        rows = pl.concat(generate(folder, asked_of_students(), temperature=0, top_p=1, max_tokens=16, dtype="float32"))
        return sum(len(set(text)) for text in rows["response"])

    assert distinct(tmp_path / "penalized") > distinct(tiny)


def broken(tiny: Path, folder: Path, **without: str) -> Path:
    import shutil

    shutil.copytree(tiny, folder)
    for name in without.values():
        (folder / name).unlink()
    return folder


def test_a_folder_that_is_no_whole_student_is_refused_before_anything_is_loaded(tiny: Path, tmp_path: Path):
    def fault(folder: Path) -> str:
        with pytest.raises(StudentError) as refused:
            list(generate(folder, asked_of_students(1), temperature=0, top_p=1, max_tokens=4))
        return str(refused.value)

    assert "no weights: add them" in fault(broken(tiny, tmp_path / "a", weights="model.safetensors"))
    assert "has no chat template" in fault(broken(tiny, tmp_path / "b", template="chat_template.jinja"))
    assert "tokenizer can't be loaded" in fault(broken(tiny, tmp_path / "c", one="tokenizer.json"))
    adapter = broken(tiny, tmp_path / "d", config="config.json", weights="model.safetensors")
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "other/base"}')
    assert "a LoRA adapter of other/base" in fault(adapter)
