"""Vectors through the memo: a model that became another one is refused, and nothing of it is stored."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import polars as pl
import pytest

from am_assets.engines.models import embedder
from am_assets.orchestration.resources import Answers


def make_model(folder: Path, dimension: int) -> None:
    """A model of sentence-transformers that takes milliseconds: static vectors, the first dimensions of wordllama's."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    words = embedder._load("static")
    static = StaticEmbedding(words.tokenizer, embedding_weights=words.embedding[:, :dimension].copy())
    SentenceTransformer(modules=[static], device="cpu").save(str(folder))
    embedder._load.cache_clear()


def vectors(memo: Path, model: Path, *questions: str) -> pl.DataFrame:
    @dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a"]))
    def embedded(context: dg.AssetExecutionContext) -> pl.DataFrame:
        answers = Answers(cast(Any, SimpleNamespace(memo=memo, database=lambda: None, cluster=None, data=memo.parent)))
        return answers.vectors(pl.DataFrame({"question": questions}), str(model)).table

    ran = dg.materialize([embedded], partition_key="a", resources={"io_manager": dg.mem_io_manager})
    return ran.output_for_node("embedded")


def test_a_model_that_changed_its_dimension_under_its_name_is_refused(tmp_path: Path) -> None:
    memo, model = tmp_path / "memo", tmp_path / "model"
    memo.mkdir()
    make_model(model, 8)
    assert vectors(memo, model, "one", "two")["vector"].list.len().to_list() == [8, 8]
    make_model(model, 16)
    with pytest.raises(ValueError, match=r"makes vectors of 16 dimensions.*have 8.*instruments\.yaml") as error:
        vectors(memo, model, "one", "two", "three")
    assert str(model) in str(error.value)
    assert vectors(memo, model, "two", "one")["vector"].list.len().to_list() == [8, 8]
