"""Languages of many texts at once are what py3langid says of each."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from am_assets.engines.models import language

TEXTS = [
    "",
    " ",
    "12 + 7 =",
    "$x^2 + y^2 = z^2$",
    "a",
    "Why do leaves turn yellow in autumn?",
    "WHY DO LEAVES TURN YELLOW?",
    "Pourquoi les feuilles jaunissent-elles en automne ?",
    "Cafe\u0301 au lait, s'il vous plai\u0302t",  # accents as characters of their own
    "Почему листья желтеют осенью?",
    "Зашто лишће жути? Zašto lišće žuti u jesen?",
    "Nima uchun barglar sarg'ayadi? Нима учун барглар сарғаяди?",
    "法国的首都是哪里?",
    "フランスの首都はどこですか",
    "프랑스의 수도는 어디입니까?",
    "ما هي عاصمة فرنسا؟",
    "מהי בירת צרפת?",
    "🍐🍐 - 🍐 = ? x",
    "Solve \\frac{1}{2}x = 3 für x, пожалуйста 谢谢",
    "\x00 control \x1f characters",
    "Sort a list. " * 80_000,
]


def one_by_one(texts: list[str]) -> list[str]:
    lettered = pl.Series(texts, dtype=pl.String).str.slice(0, language.HEAD_CHARS).str.contains(r"\p{L}")
    identifier = language._identifier()
    heads = [text[: language.HEAD_CHARS] for text in texts]
    return [identifier.classify(head)[0] if ok else "und" for head, ok in zip(heads, lettered, strict=True)]


def at_once(texts: list[str]) -> list[str]:
    return language.languages(pl.Series(texts, dtype=pl.String)).to_list()


def test_answers_are_those_of_the_model_asked_text_by_text() -> None:
    assert at_once(TEXTS) == one_by_one(TEXTS)


@given(st.lists(st.text() | st.lists(st.sampled_from(TEXTS[:-1]), max_size=3).map("".join), max_size=6))
def test_any_texts_have_the_answers_of_the_model(texts: list[str]) -> None:
    assert at_once(texts) == one_by_one(texts)


@pytest.mark.parametrize("texts", [TEXTS, ["Sehr gut. " * length for length in range(1, 40)]])
def test_chances_do_not_depend_on_the_texts_beside(texts: list[str]) -> None:
    data = [language._encoded(text[: language.HEAD_CHARS]) for text in texts if text]
    together = language._chances(data)
    alone = [language._chances([text]) for text in data]
    assert together.tobytes() == b"".join(chances.tobytes() for chances in alone)


def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = at_once(TEXTS)
    monkeypatch.setattr(language, "BLOCK", 2)
    monkeypatch.setattr(language, "THREADS", 1)
    assert at_once(TEXTS) == whole


def test_where_rounding_could_decide_the_model_itself_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "TOO_CLOSE", 2.0)
    assert at_once(TEXTS) == one_by_one(TEXTS)
