"""A reward model on this machine: a small one made here, scored through the asset and beside it."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from am_assets.config.vocabulary import REWARD_DIMENSIONS
from am_assets.engines.models.reward_model import RewardModelError, score
from am_assets_tests.desk import OPEN, Desk

WORDS = ["leaves", "turn", "yellow", "pigment", "green", "sea", "walk", "read", "swim", "eat", "late", "why", "do"]
HEADS = ["helpfulness", "correctness", "coherence", "complexity", "verbosity"]  # HelpSteer2's order
SELECT = "raw_pool or responses or response_features or reward_scores"


def make_model(folder: Path, heads: list[str], decoder: bool = False) -> str:
    """Random weights, a vocabulary of a few words, 48 tokens at most; the seed is fixed."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import AutoModelForSequenceClassification, BertConfig, LlamaConfig, PreTrainedTokenizerFast

    vocabulary = {word: at for at, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]")
    if decoder:
        fast.chat_template = "{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}"
    sizes = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "initializer_range": 0.3,
    }
    config = (LlamaConfig if decoder else BertConfig)(
        vocab_size=len(vocabulary), max_position_embeddings=48, id2label=dict(enumerate(heads)), **sizes
    )
    torch.manual_seed(3)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return str(folder)


def use(desk: Desk, model: str) -> None:
    instruments = yaml.safe_load((desk.folder / "instruments.yaml").read_text())
    desk.write("instruments.yaml", {**instruments, "reward": {"model": f"hf/{model}"}})


def scores(desk: Desk) -> pl.DataFrame:
    return pl.read_parquet(desk.folder / "assets" / "reward_scores" / "open.parquet")


@pytest.mark.slow
def test_answers_are_scored_on_this_machine_once_and_no_model_is_asked(untaught: Desk) -> None:
    from am_assets.planning.costs import Costs
    from am_assets.project import project
    from am_assets.storage.memo import Memo

    use(untaught, make_model(untaught.folder / "model", HEADS))
    steps = list(untaught.plan(select=SELECT).values())
    judging = next(step for step in steps if step.asset == "reward_scores")
    assert Costs(project(), None, steps, []).of(judging) is None
    assert {outcome.result for outcome in untaught.apply(select=SELECT).values()} == {"done"}
    table = scores(untaught)
    assert table.height == len(OPEN) == table.select(REWARD_DIMENSIONS).n_unique()
    assert all(table[name].is_between(0, 4).all() for name in REWARD_DIMENSIONS)
    raw = [json.loads(text) for text in table["judge_raw"]]
    for row, said in zip(table.select(HEADS).to_dicts(), raw, strict=True):
        assert row == pytest.approx({name: min(max(said[name], 0), 4) for name in HEADS})
    assert set(table["judge"]) == {f"hf/{untaught.folder / 'model'}"}
    assert Memo(untaught.folder / "memo").known("reward_models").collect().height == len(OPEN)

    untaught.write("endpoints.yaml", {f"hf/{untaught.folder / 'model'}": {"concurrency": 1}})
    assert untaught.plan(select=SELECT) == {}  # how many at once is no part of the measurement


@pytest.mark.slow
def test_heads_that_are_not_the_five_dimensions_stop_the_asset_before_anything_is_scored(untaught: Desk) -> None:
    use(untaught, make_model(untaught.folder / "model", [*HEADS[:4], "safety"]))
    outcome = untaught.apply(select=SELECT)["reward_scores", "open"]
    assert outcome.result == "failed"
    assert "model/config.json: id2label: " in outcome.error
    assert "safety; a reward model has a head for each of correctness, " in outcome.error
    assert not list((untaught.folder / "memo" / "reward_models").glob("*.parquet"))


TEXTS = pl.DataFrame(
    {
        "key": [f"k{n}" for n in range(24)],
        "question": [f"Why do {WORDS[n % 7]} turn {WORDS[(n * 5) % 11]}" for n in range(24)],
        "answer": [" ".join(WORDS[(n * 3) % 12 :: 1 + n % 3]) for n in range(24)],
    }
)


def scored(model: str, batch_size: int, texts: pl.DataFrame = TEXTS) -> pl.DataFrame:
    return pl.concat(score(texts, model, batch_size)).sort("key")


@pytest.mark.parametrize("decoder", [False, True])
def test_a_score_depends_on_question_and_answer_and_not_on_the_batch(tmp_path: Path, decoder: bool) -> None:
    model = make_model(tmp_path, HEADS, decoder)
    alone = scored(model, 1)
    assert alone.equals(scored(model, 1))
    assert alone.equals(scored(model, 7))
    assert alone.equals(scored(model, 64, TEXTS.reverse()))
    assert alone.select(REWARD_DIMENSIONS).n_unique() > 20
    other = scored(model, 8, TEXTS.with_columns(question=pl.lit("the sea")))
    assert not any(alone[name].equals(other[name]) for name in REWARD_DIMENSIONS)


def test_the_labels_say_which_head_is_which_dimension(tmp_path: Path) -> None:
    given = scored(make_model(tmp_path / "given", HEADS), 8)
    renamed = scored(make_model(tmp_path / "renamed", [name.title() for name in HEADS[::-1]]), 8)
    assert given["helpfulness"].equals(renamed["verbosity"].rename("helpfulness"))


def test_a_text_longer_than_the_model_reads_has_no_score(tmp_path: Path) -> None:
    long = TEXTS.head(2).with_columns(answer=pl.Series(["sea", "sea " * 60]))
    assert scored(make_model(tmp_path, HEADS), 8, long)["coherence"].is_null().to_list() == [False, True]


def test_weights_without_heads_are_refused(tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = make_model(tmp_path, HEADS)
    config = json.loads((tmp_path / "config.json").read_text())
    AutoModel.from_pretrained(folder).save_pretrained(folder)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RewardModelError, match=r"the weights lack classifier\.bias"):
        scored(folder, 8)


def test_a_name_that_is_nowhere_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(RewardModelError, match=r"instruments.yaml: reward.model: hf/.*neither the folder of a model"):
        scored(str(tmp_path / "nowhere"), 8)
