"""Shares of a text that repeat it, and of an answer that its prompt already held."""

import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.distillation.repeats import NGRAM, consecutive, prompt_share, repetition, words

texts = st.lists(st.text("ab \n", max_size=60), max_size=6)
nasty = st.text("aBé我😀İ\x00\x1c\x85\xa0\u2003\u3000\t ", max_size=40)
nasty |= st.sampled_from(["x" * 40, "我" * 33, "\n" * 50])


def rates(text: str) -> tuple[float, float]:
    return repetition(pl.Series([text])).item(), consecutive(pl.Series([text])).item()


@pytest.mark.parametrize(
    ("text", "ngrams", "loop"),
    [
        ("", 0, 0),
        ("no", 0, 0),
        ("the quick brown fox jumps over the lazy dog", 0, 0),
        ("no no", 0, 0),  # said twice: emphasis, or a sum
        ("no no no no", 0, 3 / 4),  # too short for an 8-gram
        ("7 + 7 + 7", 0, 0),
        ("and so on and so on and so on", 1 - 2 / 2, 6 / 9),
        ("no " * 500, 1 - 1 / 493, 499 / 500),
        ("wait I see. " * 100, 1 - 3 / 293, 297 / 300),
        ("ha" * 400, 1 - 1 / 43, 49 / 50),  # a loop without spaces
        (" ".join(map(str, range(500))), 0, 0),
        (" ".join(map(str, range(40))) + " " + " ".join(map(str, range(40))), 33 / 73, 0),  # said again, not in a loop
    ],
)
def test_the_rates_of_texts_that_can_be_counted_by_hand(text, ngrams, loop):
    assert rates(text) == (pytest.approx(ngrams, abs=1e-6), pytest.approx(loop, abs=1e-6))


@given(texts)
def test_each_text_is_measured_alone(texts):
    for measure in (repetition, consecutive):
        together = measure(pl.Series(texts, dtype=pl.String)).to_list()
        assert all(0 <= share <= 1 for share in together)
        assert together == [measure(pl.Series([text])).item() for text in texts]


@given(st.lists(st.none() | nasty, max_size=6), st.integers(0, 3))
def test_words_are_what_stands_between_spaces_in_pieces_of_sixteen_characters(texts, left_out):
    series = pl.Series(texts, dtype=pl.String)[left_out:]
    expected = series.str.to_lowercase().str.extract_all(r"\S{1,16}")
    found = words(series)
    assert found.counts.tolist() == expected.list.len().fill_null(0).to_list()
    said = expected.explode().drop_nulls().to_list()
    assert len({*zip(said, found.hashes.tolist(), strict=True)}) == len({*said}) == len(np.unique(found.hashes))


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_the_rates_are_those_of_a_slow_count(said):
    grams = [tuple(said[i : i + NGRAM]) for i in range(len(said) - NGRAM + 1)]
    looped = {
        i
        for length in range(1, 17)
        for end in range(3 * length, len(said) + 1)
        if said[end - length : end]
        == said[end - 2 * length : end - length]
        == said[end - 3 * length : end - 2 * length]
        for i in range(end - 2 * length, end)
    }
    slow = 1 - len(set(grams)) / len(grams) if grams else 0, len(looped) / max(len(said), 1)
    assert rates(" ".join(said)) == pytest.approx(slow, abs=1e-6)


@pytest.mark.parametrize(
    ("answer", "share"),
    [
        (None, 0),
        ("", 0),
        ("42", 0),
        ("7", 1),
        (r"\boxed{7}.", 1),
        ("the answer is 7", 1),
        ("The answer is 8", 0),
        ("We are told that the answer is 7; show why it must be so", 2 / 7),
    ],
)
def test_an_answer_leaks_as_far_as_its_prompt_holds_it(answer, share):
    prompt = "You are told that the answer is 7; show why, and mind the sign"
    found = prompt_share(pl.Series([answer], dtype=pl.String), pl.Series([prompt])).item()
    assert found == pytest.approx(share)


@given(texts, texts)
def test_what_stands_in_its_prompt_has_leaked_and_other_prompts_do_not_matter(answers, before):
    prompts = [f"c {lead} {answer} b" for answer, lead in zip(answers, [*before, *[""] * 6], strict=False)]
    shares = prompt_share(pl.Series([*answers, "c"]), pl.Series([*prompts, "b"])).to_list()
    assert shares == [*(float(bool(answer.split())) for answer in answers), 0]


@pytest.mark.parametrize("unit", ["a", "a ", "a b c ", "<think>", "我", "a\n\t", "x" * 17 + " "])
def test_a_hostile_megabyte_takes_no_longer_than_its_words(unit):
    text = pl.Series([unit * (1_000_000 // len(unit))])
    started = time.process_time()
    assert repetition(text).item() > 0.9
    assert consecutive(text).item() > 0.9
    assert 0 <= prompt_share(text, text).item() <= 1
    assert time.process_time() - started < 10
