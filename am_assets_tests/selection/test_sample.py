"""Sampling: what the teacher is asked, and why not the rest."""

from hashlib import sha256

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from am_assets.config.recipe import SamplingPolicy, TeacherPolicy
from am_assets.selection.sample import NO_ROUND, rate_fields, select
from am_assets.storage.schemas import SelectedQuestions

Q = sha256(b"q").hexdigest()[:32]
TEACHER = TeacherPolicy(model="openai/r1", samples=4)
PLAIN = {
    "shard": "one", "source": "src", "category": "math", "difficulty": "easy", "has_published": False, "complete": True,
    "has_url": False, "has_image": False, "has_table": False, "language": "en", "license": "mit",
}  # fmt: skip
FLAGS = {name: pl.Boolean for name in PLAIN if isinstance(PLAIN[name], bool)}
NOTHING = pl.DataFrame(schema={"question_id": pl.String, "detail": pl.String, "decided_by": pl.String})


def pool(*rows: dict) -> pl.DataFrame:
    full = [{"question_id": Q, **PLAIN, **row} for row in rows]
    return pl.DataFrame(full, schema={name: FLAGS.get(name, pl.String) for name in ["question_id", *PLAIN]})


def chosen(
    questions: pl.DataFrame,
    contaminated: pl.DataFrame = NOTHING,
    teacher: TeacherPolicy = TEACHER,
    earlier: pl.DataFrame = NO_ROUND,
    **policy,
) -> pl.DataFrame:
    return SelectedQuestions.validate(select(questions, contaminated, SamplingPolicy(**policy), teacher, earlier))


def contaminated(detail: str, field: str, question_id: str = Q) -> pl.DataFrame:
    return pl.DataFrame([(question_id, detail, f"sampling.decontamination.{field}")], NOTHING.schema, orient="row")


def fate(row: dict, **policy) -> tuple:
    return chosen(pool(row), **policy).select("kept", "drop_reason", "detail").row(0)


def test_a_sound_question_is_asked_of_the_teacher() -> None:
    table = chosen(pool({}))
    assert table.select("kept", "drop_reason", "teacher", "samples").row(0) == (True, None, "openai/r1", 4)


@pytest.mark.parametrize(
    ("row", "policy", "detail"),
    [
        ({"complete": False}, {}, "incomplete"),
        ({"has_url": True}, {}, "url"),
        ({"has_image": True}, {}, "image"),
        ({"has_table": True}, {"drop": ["table"]}, "table"),
        ({"has_url": True, "has_image": True}, {"drop": ["image", "url"]}, "image"),
        ({"language": "de"}, {"languages": ["en", "zh"]}, "language de"),
    ],
)
def test_an_unsuitable_question_goes_with_what_makes_it_so(row: dict, policy: dict, detail: str) -> None:
    assert fate(row, **policy) == (False, "unsuitable", detail)


@pytest.mark.parametrize(
    ("row", "allowed", "reason"),
    [
        ({"license": "cc-by-nc-4.0"}, ["mit", "Apache 2.0"], "license cc-by-nc-4.0"),
        ({"license": None}, ["mit"], "license unknown"),
        ({"license": "apache-2.0"}, ["mit", "Apache 2.0"], None),
        ({"license": None}, ["mit", "unknown"], None),
        ({"license": None}, None, None),
        ({"license": "mit"}, [], "license mit"),
    ],
)
def test_a_question_whose_licence_is_not_allowed_goes(row: dict, allowed: list[str] | None, reason: str | None) -> None:
    assert fate(row, licenses=allowed) == (reason is None, reason and "license", reason)


@pytest.mark.parametrize(
    ("row", "policy"),
    [
        ({"has_table": True}, {}),
        ({"complete": False, "has_url": True}, {"drop": []}),
        ({"language": "zh"}, {"languages": ["en", "zh"]}),
        ({"language": "und"}, {"languages": ["en"]}),
        ({"language": "de"}, {}),
    ],
)
def test_what_the_policy_does_not_name_stays(row: dict, policy: dict) -> None:
    assert fate(row, **policy) == (True, None, None)


def test_the_first_rule_that_holds_is_the_reason() -> None:
    row, rates = {"complete": False}, {"rates": {"easy": 0}}
    found = contaminated("text of math500/1", "same_text")
    assert fate(row, contaminated=found, **rates) == (False, "contaminated", "text of math500/1")
    assert fate(row, **rates) == (False, "unsuitable", "incomplete")
    assert fate({}, **rates) == (False, "downsampled", "rate 0 of easy")


def test_a_published_response_spares_the_question_new_ones_where_it_counts() -> None:
    questions = pool({"has_published": True})
    assert chosen(questions)["samples"].item() == 0
    assert chosen(questions, teacher=TEACHER.model_copy(update={"published": False}))["samples"].item() == 4


def test_a_question_that_goes_asks_for_nothing() -> None:
    assert chosen(pool({"has_url": True}))["samples"].item() == 0


def test_contamination_of_a_question_that_is_not_here_adds_no_row() -> None:
    assert chosen(pool({}), contaminated("text of a/b", "same_text", "gone")).height == 1


def test_an_empty_set_selects_nothing() -> None:
    assert chosen(pool()).is_empty()


def many(rows: int, first: int = 0) -> pl.DataFrame:
    """Rows of known numbers, in four kinds: easy and medium math, easy coding, unlabelled."""
    kinds = [("math", "easy"), ("math", "medium"), ("coding", "easy"), ("unlabelled", "unlabelled")]
    return pool(
        *(
            {
                "question_id": sha256(b"%d" % n).hexdigest()[:32],
                "category": kinds[n % 4][0],
                "difficulty": kinds[n % 4][1],
            }
            for n in range(first, first + rows)
        )
    )


def kept_of(questions: pl.DataFrame, **policy) -> dict[str, float]:
    """The part kept of each `category/difficulty`."""
    by = pl.format("{}/{}", "category", "difficulty").alias("of")
    return dict(chosen(questions, **policy).group_by(by).agg(pl.col("kept").mean()).rows())


@pytest.mark.parametrize(
    ("rates", "math_easy", "math_medium", "coding_easy", "unlabelled"),
    [
        ({}, 1, 1, 1, 1),
        ({"easy": 0.3, "unlabelled": 0.0}, 0.3, 1, 0.3, 0),
        ({"math": 0.8, "coding/easy": 0.3}, 0.8, 0.8, 0.3, 1),
        ({"math": 0.8, "easy": 0.5}, 0.4, 0.8, 0.5, 1),
        ({"math": 0.8, "easy": 0.5, "math/easy": 1}, 1, 0.8, 0.5, 1),
        ({"unlabelled": 0.5}, 1, 1, 1, 0.5),
    ],
)
def test_a_rate_keeps_about_its_share_of_its_own_group(rates, math_easy, math_medium, coding_easy, unlabelled) -> None:
    assert kept_of(many(8_000), rates=rates) == pytest.approx(
        {
            "math/easy": math_easy,
            "math/medium": math_medium,
            "coding/easy": coding_easy,
            "unlabelled/unlabelled": unlabelled,
        },
        abs=0.03,
    )


def test_a_downsampled_question_says_its_rate_and_its_group() -> None:
    assert fate({}, rates={"math": 0, "easy": 0.5})[2] == "rate 0 of math/easy"
    assert fate({"category": "coding"}, rates={"coding/easy": 0, "easy": 1})[2] == "rate 0 of coding/easy"
    assert fate({"category": "unlabelled", "difficulty": "unlabelled"}, rates={"unlabelled": 0})[2] == (
        "rate 0 of unlabelled"
    )


@pytest.mark.parametrize(
    ("row", "policy", "fields"),
    [
        ({}, {}, None),
        ({}, {"rates": {"easy": 1}}, None),
        ({"has_url": True}, {}, "sampling.drop"),
        ({"language": "fr"}, {"languages": ["en"]}, "sampling.languages"),
        ({"language": "fr", "has_url": True}, {"languages": ["en"]}, "sampling.drop"),
        ({}, {"rates": {"math": 0}}, "sampling.rates.math"),
        ({}, {"rates": {"math": 0, "easy": 0.5}}, "sampling.rates.math, sampling.rates.easy"),
        ({}, {"rates": {"math": 1, "math/easy": 0}}, "sampling.rates.math/easy"),
        ({}, {"shares": {"difficulty": {"easy": 0}}}, "sampling.shares.difficulty.easy"),
    ],
)
def test_a_dropped_question_names_the_fields_that_decided(row: dict, policy: dict, fields: str | None) -> None:
    assert chosen(pool(row), **policy)["decided_by"].item() == fields


def test_contamination_brings_its_field_along_and_comes_first() -> None:
    found = contaminated("cosine 0.95 to a/b", "cosine")
    table = chosen(pool({"has_url": True}), found, rates={"easy": 0})
    assert table["decided_by"].item() == "sampling.decontamination.cosine"


def test_a_rate_is_set_by_the_pair_else_by_category_and_difficulty() -> None:
    rates = SamplingPolicy(rates={"easy": 0.5, "math": 0.8, "coding/easy": 0.3})
    assert [*rate_fields(rates, "coding", "easy").values()] == ["sampling.rates.coding/easy"]
    assert [*rate_fields(rates, "math", "easy").values()] == ["sampling.rates.math", "sampling.rates.easy"]
    assert [*rate_fields(rates, "others", "hard").values()] == []
    shares = SamplingPolicy(shares={"difficulty": {"easy": 0.2}})
    assert [*rate_fields(shares, "math", "easy").values()] == ["sampling.shares.difficulty.easy"]


def test_shares_keep_all_of_the_scarcest_and_the_others_in_proportion() -> None:
    kept = kept_of(many(8_000), shares={"difficulty": {"easy": 0.4, "medium": 0.4}})
    assert kept == pytest.approx(
        {"math/easy": 0.5, "coding/easy": 0.5, "math/medium": 1, "unlabelled/unlabelled": 1}, abs=0.03
    )
    table = chosen(many(8_000), shares={"category": {"math": 0.2, "coding": 0.3, "planning": 0.5}})
    counts = dict(table.filter("kept")["category"].value_counts().rows())
    assert counts["coding"] == 2_000
    assert counts["math"] / counts["coding"] == pytest.approx(2 / 3, abs=0.05)
    assert set(table["detail"].drop_nulls()) == {"rate 0.3333 of math"}


def test_shares_are_counted_of_rows_that_nothing_else_removed() -> None:
    unsuitable = many(4_000).with_columns(has_url=pl.col("difficulty") == "medium")
    kept = kept_of(unsuitable, shares={"category": {"math": 0.5, "coding": 0.5}})
    assert (kept["math/easy"], kept["coding/easy"]) == (1, 1)


def test_a_share_of_nothing_keeps_nothing() -> None:
    assert kept_of(many(40), shares={"category": {"math": 0}})["math/easy"] == 0


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
@settings(max_examples=40)
def test_under_shares_added_rows_let_the_kept_part_of_a_group_only_grow_or_only_shrink(
    rows, more, easy, medium
) -> None:
    shares = {"difficulty": {"easy": easy, "medium": medium}}
    few, all_rows = many(rows), many(rows + more)
    before, after = (chosen(frame, shares=shares).filter("kept") for frame in (few, all_rows))
    for level in ("easy", "medium"):
        was = set(before.filter(difficulty=level)["question_id"])
        old = set(few["question_id"])
        now = set(after.filter(difficulty=level)["question_id"]) & old
        assert was <= now or now <= was


def test_the_draw_knows_nothing_of_the_shard() -> None:
    """A shard is made by the leading digits of the id: each must be sampled like the whole."""
    hashes = [sha256(b"%d" % n).hexdigest() for n in range(2_000)]
    ids = [f"{prefix:08x}{digits[:24]}" for prefix in (0, 2**32 - 1) for digits in hashes]
    questions = pool(*({"question_id": name, "shard": name[:8]} for name in ids))
    kept = chosen(questions, rates={"easy": 0.5}).group_by("shard").agg(pl.col("kept").mean())
    assert kept["kept"].to_list() == pytest.approx([0.5, 0.5], abs=0.05)


@given(st.floats(0, 1), st.floats(0, 1), st.permutations(range(60)))
@settings(max_examples=40)
def test_a_fate_is_untouched_by_other_rows_and_only_helped_by_a_higher_rate(rate, other, order) -> None:
    questions = many(60)
    whole = chosen(questions, rates={"easy": rate})
    assert chosen(questions[order], rates={"easy": rate}).equals(whole)
    some = questions[order[:30]]
    alone = chosen(some, rates={"easy": rate})
    assert alone.equals(whole.join(some, on="question_id", how="semi", maintain_order="left"))
    low, high = (chosen(questions, rates={"easy": bound}).filter("kept") for bound in sorted([rate, other]))
    assert set(low["question_id"]) <= set(high["question_id"])


ROUND = "first@4f0c2a7d11be"
NEVER, ALWAYS = "pass_rate 0.0 < 0.01, 4 attempts", "pass_rate 1.0 > 0.99, 4 attempts"


def solved(passes: int, attempts: int = 4, **bounds) -> tuple:
    """What becomes of a question that was solved so often in the round; of one it does not have for no attempts."""
    rows = [(Q, attempts, passes / attempts)] if attempts else []
    earlier = pl.DataFrame(rows, NO_ROUND.schema, orient="row")
    table = chosen(pool({}), earlier=earlier, pass_rates={"round": ROUND, **bounds})
    return table.select("drop_reason", "detail", "decided_by").row(0)


@pytest.mark.parametrize(
    ("passes", "bounds", "detail", "field"),
    [
        (0, {}, NEVER, "least"),
        (4, {}, ALWAYS, "most"),
        (1, {"least": 0.5}, "pass_rate 0.25 < 0.5, 4 attempts", "least"),
        (3, {"most": 0.5}, "pass_rate 0.75 > 0.5, 4 attempts", "most"),
    ],
)
def test_what_the_teacher_never_or_always_solved_in_an_earlier_round_is_not_asked_again(
    passes: int, bounds: dict, detail: str, field: str
) -> None:
    assert solved(passes, **bounds) == ("pass_rate", f"{detail} in {ROUND}", f"sampling.pass_rates.{field}")


@pytest.mark.parametrize(
    ("passes", "bounds"),
    [(1, {}), (3, {}), (2, {"least": 0.5, "most": 0.5}), (0, {"least": 0}), (4, {"most": 1})],
)
def test_what_it_sometimes_solved_is(passes: int, bounds: dict) -> None:
    assert solved(passes, **bounds) == (None, None, None)


def test_a_question_that_the_round_did_not_measure_goes_only_where_the_policy_says_so() -> None:
    few = f"fewer than 2 attempts in {ROUND}"
    for passes, attempts in ((0, 0), (0, 1), (1, 1)):
        assert solved(passes, attempts) == (None, None, None)
        assert solved(passes, attempts, unmeasured="drop") == ("pass_rate", few, "sampling.pass_rates.unmeasured")
    assert solved(1, 1, min_attempts=1) == ("pass_rate", f"pass_rate 1.0 > 0.99, 1 attempts in {ROUND}", MOST)
    assert solved(2, 4, unmeasured="drop") == (None, None, None)


MOST = "sampling.pass_rates.most"


def test_shares_are_of_the_questions_that_an_earlier_round_leaves() -> None:
    questions = many(4_000)
    always = questions.filter(difficulty="medium").select("question_id", attempts=4, pass_rate=1.0)
    policy = {"shares": {"category": {"math": 0.5, "coding": 0.5}}}
    left = questions.join(always, on="question_id", how="anti")
    rated = chosen(questions, earlier=always, pass_rates={"round": ROUND}, **policy).filter("kept")
    assert rated["question_id"].to_list() == chosen(left, **policy).filter("kept")["question_id"].to_list()


@pytest.mark.parametrize("name", ["first", "first@", "first@12", "first@4F0C2A7D11BE", "../first@4f0c2a7d11be"])
def test_a_round_is_named_with_its_version(name: str) -> None:
    with pytest.raises(ValueError, match=r"names no round, as .* would: am freeze"):
        SamplingPolicy(pass_rates={"round": name})


def test_a_policy_without_a_round_is_stored_as_before_there_were_any() -> None:
    assert "pass_rates" not in SamplingPolicy().model_dump()
    named = SamplingPolicy(pass_rates={"round": ROUND})
    assert SamplingPolicy.model_validate(named.model_dump()) == named


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_share_keeps_a_part_of_a_larger_one_under_rates_and_under_shares(one: float, other: float) -> None:
    ids = [sha256(str(n).encode()).hexdigest()[:32] for n in range(60)]
    levels = ["easy", "medium", "hard"]
    questions = pool(*({"question_id": key, "difficulty": levels[n % 3]} for n, key in enumerate(ids)))
    for policy in ({"rates": {"easy": 0.5}}, {"rates": None, "shares": {"difficulty": {"easy": 0.3, "hard": 0.6}}}):
        few, many = (
            {*chosen(questions, share=share, **policy).filter("kept")["question_id"]} for share in sorted((one, other))
        )
        assert few <= many
        whole = chosen(questions, share=1, **policy)
        assert whole.equals(chosen(questions, **policy)) and many <= {*whole.filter("kept")["question_id"]}


def test_a_share_is_told_with_the_rate_it_lowers() -> None:
    dropped = chosen(pool({}), share=0.0, rates={"easy": 0.5}).select("drop_reason", "detail", "decided_by").row(0)
    assert dropped == ("downsampled", "rate 0 of easy/all", "sampling.rates.easy, sampling.share")
    assert chosen(pool({}), share=0.0)["decided_by"].item() == "sampling.share"


def test_a_share_of_all_is_stored_as_policies_were_before() -> None:
    assert "share" not in SamplingPolicy().model_dump() and SamplingPolicy(share=0.5).model_dump()["share"] == 0.5
