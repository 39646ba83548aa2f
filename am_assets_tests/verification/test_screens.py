"""What screens find in questions and responses, what they leave alone, and what of it is stored."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from am_assets.storage.schemas import ResponseScreens
from am_assets.verification.screens import BY_PATTERN, response_screens
from am_assets.verification.screens.base import PIECE
from am_assets.verification.screens.blanking import blanked
from am_assets_tests.verification.screened import KEYS, SENTENCES, drawn

NAMES = [one.name for one in BY_PATTERN]
ADDRESSES = [
    "maria.kowalska@gmail.com", "liwei1990@163.com", "+44 7911 246813", "+49 30 901820", "(212) 736-5009",
    "13817359264",
]  # fmt: skip


def screened(*rows: dict) -> pl.DataFrame:
    """ResponseScreens of rows (question, think, answer, response, test_cases), each with what it leaves out."""
    filled = [
        {"question": "What is x?", "think": "Add.", "answer": "4", "response": "", "test_cases": None} | row
        for row in rows
    ]
    strings = dict.fromkeys(["question", "think", "answer", "response", "test_cases"], pl.String)
    table = pl.DataFrame(filled, strings).with_row_index("at").with_columns(
        response_id=pl.format("r{}", "at"), question_id=pl.format("q{}", "at")
    )  # fmt: skip
    responses = table.select("response_id", "question_id", "think", "answer", "response")
    pool = table.select("question_id", "question", "test_cases")
    return ResponseScreens.validate(response_screens(responses.iter_slices(2), pool.lazy()), cast=True)


def findings(**row: str | None) -> list[tuple[str, str]]:
    (found,) = screened(row)["findings"].to_list()
    return [(one["screen"], one["part"]) for one in found]


@pytest.mark.parametrize("name", list(KEYS))
@pytest.mark.parametrize("before", ["", "Use ", "Here is what you asked for, in full, and mind that it is the last: "])
def test_of_a_key_nothing_is_shown_where_the_beginning_of_a_text_is(name: str, before: str) -> None:
    key = KEYS[name]
    for text in (f"{before}{key} or not", f"{before}{key}\n{key}", str([{"response": f"{before}{key}"}])):
        shown = blanked(text, 80)
        assert "[secret]" in shown or len(shown) == 80
        assert not [at for at in range(len(key) - 8) if key[at : at + 9] in shown.replace("-----BEGIN ", "")]


@pytest.mark.parametrize("address", ADDRESSES)
def test_personal_data_is_blanked_in_its_place(address: str) -> None:
    said = "call me at {}; it is mine"
    assert blanked(said.format(address), 80) == said.format("[personal data]")
    assert blanked(said.format(address), 15) == "call me at [per"


@pytest.mark.parametrize("text", ["support@company.com", "12345678 or 0.5", "sk_test_1", "plain", "ä" * 80])
def test_other_texts_are_shown_as_they_begin(text: str) -> None:
    assert blanked(text + " and so on" * 300, 80) == (text + " and so on" * 9)[:80]


@pytest.mark.parametrize("screen", NAMES)
@pytest.mark.parametrize("hit", [True, False])
def test_sentences_are_found_by_their_screen_alone_and_their_neighbours_by_none(screen: str, hit: bool) -> None:
    texts = [text for named, found, text in SENTENCES if (named, found) == (screen, hit)]
    assert len(texts) > 50
    found = screened(*({"answer": text} for text in texts))["screens"].to_list()
    wrong = {text: names for text, names in zip(texts, found, strict=True) if names != [screen] * hit}
    assert not wrong


def test_a_finding_stands_in_its_part_and_is_listed_once_for_each() -> None:
    naming, key = "I am DeepSeek-R1. I am DeepSeek-R1.", f"{KEYS['aws']} {KEYS['github']}"
    assert findings(think=naming, answer=f"{naming} {key}") == [
        ("secret", "answer"), ("self_naming", "think"), ("self_naming", "answer"),
    ]  # fmt: skip
    assert findings(question=f"{naming} {key} maria.kowalska@gmail.com") == [
        ("secret", "question"), ("personal_data", "question"),
    ]  # fmt: skip


def test_a_response_without_an_answer_part_is_screened_as_a_whole() -> None:
    assert findings(think=None, answer=None, response="I'm sorry, but I can't help with that.") == [
        ("refusal", "answer")
    ]
    assert findings(response="I'm sorry, but I can't help with that.") == []


def test_addresses_in_answers_to_code_tasks_are_no_persons_but_keys_are_keys() -> None:
    text = f"Take maria.kowalska@gmail.com and {KEYS['stripe']}."
    assert findings(answer=text) == [("secret", "answer"), ("personal_data", "answer")]
    assert findings(answer=text, test_cases="assert valid(x)") == [("secret", "answer")]


def test_a_finding_behind_a_long_line_and_across_a_cut_is_found() -> None:
    for before in (0, PIECE - 10, 3 * PIECE, 50_000):
        assert findings(answer="x, " * (before // 3) + "I am DeepSeek-R1.") == [("self_naming", "answer")]


def test_each_question_is_screened_for_all_its_responses() -> None:
    responses = pl.DataFrame(
        {"response_id": ["a", "b", "c"], "question_id": ["q", "q", "p"], "think": "t", "answer": "4", "response": "4"}
    )
    pool = pl.LazyFrame(
        {"question_id": ["p", "q"], "question": ["x?", KEYS["aws"]], "test_cases": [None, None]},
        schema_overrides={"test_cases": pl.String},
    )
    table = response_screens([responses[:1], responses[1:]], pool)
    assert table.select("response_id", pl.col("screens").list.len()).rows() == [("a", 1), ("b", 1), ("c", 0)]
    assert response_screens([], pool).is_empty()


surroundings = st.text(st.characters(codec="utf-8", exclude_characters="\n`~"), max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([*KEYS.values(), *ADDRESSES]),
    st.sampled_from([text for _, hit, text in SENTENCES if hit] + ["{}"]),
    surroundings,
    surroundings,
    st.sampled_from(["question", "think", "answer"]),
)
@example(KEYS["aws"], "My training data only goes up to September 2021.", "", "", "think")
def test_no_key_address_or_number_is_stored(private: str, sentence: str, before: str, after: str, part: str) -> None:
    half = len(sentence) // 2
    text = f"{before} {sentence[:half]} {private} {sentence[half:]} {after}"
    digits = private.strip("+()").replace(" ", "").replace("-", "")
    for finding in screened({part: text})["findings"].explode().struct.field("shown").drop_nulls().to_list():
        assert len(finding) <= 80
        assert private not in finding and digits not in finding.replace(" ", "").replace("-", "")
        assert not any(private[at : at + 10] in finding for at in range(len(private) - 9))


@given(st.lists(st.sampled_from([text for *_, text in SENTENCES]), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_a_table_depends_on_no_order_of_its_rows(texts: list[str], random) -> None:
    rows = [{"answer": text} for text in texts]
    order = list(range(len(rows)))
    random.shuffle(order)
    found, shuffled = screened(*rows)["findings"].to_list(), screened(*(rows[at] for at in order))["findings"].to_list()
    assert shuffled == [found[at] for at in order]


@pytest.mark.parametrize(
    "unit", ["a", "+1 ", "a@", "a.b@gmail.co ", "AKIA", "//", "I am ", "I cannot provide ", "我是"]
)
def test_hostile_texts_take_about_as_long_as_they_are(unit: str) -> None:
    import time

    started = time.process_time()
    screened({"think": unit * (300_000 // len(unit))})
    assert time.process_time() - started < 5


def test_numbers_alone_are_nobodys() -> None:
    numbers = [drawn(length, "0123456789") for length in range(6, 20)]
    written = [
        form.format(number) for number in numbers for form in ("{}", "x = {}", "+{} = y", "n +{}", "${}$", "2*{}+1")
    ]
    assert screened(*({"think": text} for text in written))["screens"].list.len().sum() == 0


def test_the_demo_has_nothing_that_a_screen_finds() -> None:
    from am_assets.datasets import sources

    data = Path(__file__).parents[2] / "data"
    demo = sources.load_sources(data / "sources.yaml")
    pool = pl.concat(sources.read_shard(demo, shard, data) for shard in sources.shard_keys(demo))
    responses = pool.explode("published").unnest("published").drop_nulls("response")
    rows = responses.select("question", "test_cases", answer="response").to_dicts()
    assert len(rows) > 100
    assert screened(*rows)["screens"].list.len().sum() == 0
