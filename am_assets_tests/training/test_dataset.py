import json
from collections.abc import Iterator
from hashlib import sha256

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.storage.schemas import SftDataset
from am_assets.training.dataset import am_record, assistant_turn, parts_of, question_facts, sft_rows, with_texts

TEST = json.dumps({"test_code": "assert f(1) == 2", "test_entry_point": "f"})


def key(number: int) -> str:
    """An id like that of a response, in the order of the numbers where they are few."""
    return f"{number:04x}{sha256(str(number).encode()).hexdigest()[:28]}"


def verified(*rows: tuple[str, str], source: str = "gsm", shard: str = "gsm-0") -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["response_id", "question_id"], orient="row")
    columns = {"source": source, "shard": shard, "category": "math", "difficulty": "easy", "teacher": "r1"}
    measured = {"pass_rate": pl.lit(None, pl.Float64), "repaired_reference": pl.lit(None, pl.String)}
    return frame.with_columns(pl.lit(value).alias(name) for name, value in columns.items()).with_columns(**measured)


def said(ids: list[str]) -> pl.DataFrame:
    one = pl.col("response_id")
    return (
        pl.Series("response_id", ids, pl.String)
        .to_frame()
        .with_columns(think=pl.format("think {}", one), answer=pl.format("say {}", one))
    )


def features(*ids: str) -> pl.DataFrame:
    lengths = {f"{part}_chars": pl.col(part).str.len_chars() for part in ("think", "answer")}
    return said([*ids]).with_columns(template=pl.lit("paper"), answer_language=pl.lit("en"), **lengths)


def pool(*rows: tuple[str, str | None, str | None]) -> pl.DataFrame:
    schema = {"question_id": pl.String, "reference_answer": pl.String, "test_cases": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    beside = {"license": pl.lit("mit"), "extra": pl.lit('{"topic": "sums"}')}
    return frame.with_columns(question=pl.lit("ask ") + pl.col("question_id"), **beside)


def table(rows: int = 3) -> pl.DataFrame:
    """Rows of math; the last one of code, with a test."""
    kept = [(key(i), f"q{i:05}") for i in range(rows)]
    asked = [(one, None if i == rows - 1 else "7", TEST if i == rows - 1 else None) for i, (_, one) in enumerate(kept)]
    return sft_rows(verified(*kept), features(*(row[0] for row in kept)), question_facts(pool(*asked)))


def texts(shard: str, rows: pl.DataFrame, batch: int = 2) -> Iterator[pl.DataFrame]:
    """The released texts of rows of `table`, a few at a time."""
    for some in rows.iter_slices(batch):
        checked = pl.col("check") == "test case"
        asked = some.select(
            "question_id",
            question=pl.lit("ask ") + pl.col("question_id"),
            reference_answer=pl.when(~checked).then(pl.lit("7")),
            test_cases=pl.when(checked).then(pl.lit(TEST)),
            license=pl.lit("mit"),
            extra=pl.lit('{"topic": "sums"}'),
        )
        yield with_texts(some.join(said(some["response_id"].to_list()), on="response_id"), asked)


def test_the_table_holds_kept_responses_in_order_and_no_text():
    kept = verified(("r2", "q1"), ("r1", "q1"))
    result = sft_rows(kept, features("r3", "r2", "r1"), question_facts(pool(("q1", "7", None))))
    valid = SftDataset.validate(result.select(SftDataset.column_names()), cast=True)
    columns = ["response_id", "check", "question_chars", "think_chars", "answer_chars", "license", "chars"]
    chars = len("ask q1" + "think r1" + "say r1" + "7" + '{"topic": "sums"}')
    assert valid.select(columns).rows() == [
        ("r1", "reference answer", 6, 8, 6, "mit", chars),
        ("r2", "reference answer", 6, 8, 6, "mit", chars),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"question": pl.lit("Ask q1")}, {"reference_answer": pl.lit(None, pl.String)}, {"test_cases": pl.lit("")},
        {"license": pl.lit(None, pl.String)}, {"extra": pl.lit(None, pl.String)}, {"source": pl.lit("zoo")},
        {"pass_rate": pl.lit(0.5)}, {"repaired_reference": pl.lit("8")}, {"teacher": pl.lit("r2")},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_the_hash_of_a_row_is_another_whenever_something_released_of_it_is(change: dict):
    def hashed(**change: pl.Expr) -> str:
        asked, kept = (
            frame.with_columns(**{name: value for name, value in change.items() if name in frame.columns})
            for frame in (pool(("q1", "7", None)), verified(("r1", "q1")))
        )
        return sft_rows(kept, features("r1"), question_facts(asked))["content"].item()

    assert hashed(**change) != hashed() == hashed()


@pytest.mark.parametrize("lacks", ["question", "features", "parts"])
def test_a_kept_response_without_its_question_or_parts_is_an_error_that_names_it(lacks: str):
    asked = pool(*[("q1", "7", None)] * (lacks != "question"))
    measured = features(*["r1"] * (lacks != "features")).with_columns(
        template=pl.lit(None if lacks == "parts" else "paper", pl.String)
    )
    with pytest.raises(ValueError, match=r"1 kept response without .* first r1"):
        sft_rows(verified(("r1", "q1")), measured, question_facts(asked))


@given(st.text("</think>\n<answer>éa", max_size=40), st.text("</think>\n<answer>éa", max_size=40))
def test_the_parts_of_a_turn_are_told_apart_whatever_they_hold(think: str, answer: str):
    turn = assistant_turn(think, answer)
    row = pl.DataFrame({"turn": [turn], "think_chars": [len(think)], "answer_chars": [len(answer)]})
    assert row.select(**parts_of(pl.col("turn"))).row(0) == (think, answer)


def test_a_record_has_exactly_the_two_messages_of_the_released_form():
    [rows] = texts("gsm-0", table(1))
    user, assistant = am_record(rows.row(0, named=True))["messages"]
    assert user == {
        "role": "user",
        "content": "ask q00000",
        "info": {"source": "gsm", "reference_answer": None, "test_case": TEST},
    }
    think, answer = f"think {key(0)}", f"say {key(0)}"
    assert assistant == {
        "role": "assistant",
        "content": f"<think>{think}</think>\n<answer>{answer}</answer>",
        "info": {"source": "gsm", "think_content": think, "answer_content": answer},
    }
