"""Published responses that no model should write: kept as they are or dropped with a reason, and never mangled."""

import json

import polars as pl
import pytest

from am_assets_tests.desk import Desk

EMPTY = 10_000
SELECT = "raw_pool or responses or response_features or math_verdicts or response_screens"
HUGE = "<think>" + "Let me see whether it is even. " * 160_000 + "</think> <answer>\\boxed{19}</answer>"
LINES = "<think>" + "\n" * 200_000 + "</think>\n<answer>19</answer>"
KEPT = {
    "5 MB": HUGE,
    "lines": LINES,
    "control": "<think>\x1e\x1f\u2028\x85</think> 19\r\n\x0b\x0c",
    "separators": "<think>a</think> <answer>19</answer> </think> <answer>20</answer> <|im_end|> ```",
    "harmony": "<|channel|>analysis<|message|><|channel|>final<|message|>19<|return|>",
    "quotes": '{"any_of": ["19"]}\n"\\n\\u0000","response":"x"}',
}


@pytest.mark.slow
def test_hostile_responses_are_kept_to_the_byte_or_dropped_with_a_reason(untaught: Desk) -> None:
    rows = [
        {"question": f"Of the kind {name}: 12 plus 7?", "reference_answer": "19", "response": text}
        for name, text in KEPT.items()
    ]
    rows += [{"question": f"Number {at}?", "reference_answer": "1", "response": ""} for at in range(EMPTY)]
    rows.append(
        {"question": "Half a surrogate?", "reference_answer": "1", "response": "<think>\ud800</think> 1 \udfff\x00"}
    )
    lines = "\n".join(json.dumps({"teacher": "tests", **row}) for row in rows)
    (untaught.folder / "pool" / "open.jsonl").write_text(lines + "\n")
    outcomes = untaught.apply(select=SELECT)
    assert {outcome.result for outcome in outcomes.values()} == {"done"}, outcomes

    def read(asset: str) -> pl.DataFrame:
        return pl.read_parquet(untaught.folder / "assets" / asset / "open.parquet")

    pool, responses = read("raw_pool"), read("responses")
    named = responses.join(pool.select("question_id", "question"), on="question_id")
    for name, text in KEPT.items():
        (found,) = named.filter(pl.col("question").str.contains(f"kind {name}:", literal=True))["response"]
        assert found == text, name
    (said,) = named.filter(pl.col("question") == "Half a surrogate?")["response"]
    assert said == "<think>\ufffd</think> 1 \ufffd\ufffd"  # what no Parquet reader takes, and nothing else
    assert pool.height == len(KEPT) + 1 + EMPTY  # an empty response is none: its question stays, to be asked
    assert responses.height == len(KEPT) + 1
    features = read("response_features")
    assert features.height == read("response_screens").height == responses.height
    assert read("math_verdicts").height == responses.height
