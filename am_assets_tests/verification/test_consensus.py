"""Which results an answer states, which of them are one class, and what a recipe makes of classes."""

import polars as pl
import pytest

from am_assets.config.agreement import Agreement, PassRates, ReferencePolicy
from am_assets.config.consistency import unmeasured
from am_assets.config.instruments import Instruments, Math
from am_assets.config.recipe import Recipe, VerificationPolicy
from am_assets.storage.schemas import AnswerConsensus
from am_assets.storage.stored import settings
from am_assets.verification.consensus import answers_to_compare, consensus, result_of
from am_assets.verification.verifiers import VERIFIERS
from am_assets_tests.verification.candidate_rows import decide, rewarded


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (r"So we get \boxed{12}.", "12"),
        ("The answer is 12.", "12"),
        ("The answer is 12 apples.", "12 apples"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"It is \boxed{12}. The answer is $12$.", "$12$"),
        ("The correct option is B.", "B"),
        (r"First \boxed{12}, then \boxed{13}.", None),
        (r"Someone says \boxed{12}. Wait, that is wrong.", None),
        ("The answer is that the leaves turn yellow.", None),
        (r"\boxed{\text{the leaves turn yellow}}", None),
        ("The result is a 3-step plan.", None),
        ("Walk, read, swim, eat late.", None),
        (r"\boxed{" + "1+" * 300 + "1}", None),
        ("", None),
    ],
)
def test_an_answer_states_one_result_that_mathematics_can_compare_or_none(answer: str, result: str | None) -> None:
    assert result_of(answer) == result


def test_only_questions_without_tests_that_have_several_answers_are_compared() -> None:
    rows = [("a1", "a", r"\boxed{1}"), ("a2", "a", "Nobody knows."), ("b1", "b", r"\boxed{1}"), ("b2", "b", " "),
            ("b3", "b", None), ("c1", "c", r"\boxed{1}"), ("c2", "c", r"\boxed{1}")]  # fmt: skip
    features = pl.DataFrame(rows, ["response_id", "question_id", "answer"], orient="row")
    pool = pl.DataFrame({"question_id": ["a", "b", "c"], "test_cases": [None, None, "{}"]})
    assert answers_to_compare(features.lazy(), pool.lazy()).rows() == [("a1", "a", "1"), ("a2", "a", None)]


def by_mathematics(pairs: pl.DataFrame) -> pl.Series:
    math = VERIFIERS["math"]
    found = pl.concat(math.verify(math.with_job_keys(pairs, Math()), Math()))
    return found["verdict"] == "pass"


def classes(*results: str | None, equal=by_mathematics) -> dict[str | None, str | None]:
    """By result, what names its class."""
    told = pl.DataFrame({"response_id": [f"r{i}" for i in range(len(results))], "question_id": "q", "result": results})
    table = consensus(told.with_columns(pl.col("result").cast(pl.String)), equal)
    AnswerConsensus.validate(table)
    return dict(table.select("result", "equal_to").rows())


def test_results_are_in_one_class_where_each_passes_as_the_answer_to_the_other() -> None:
    found = classes("0.5", r"\frac{1}{2}", "1/2", "2", "2.0", "B", "x+1", "1+x", None)
    assert found == {
        "0.5": "0.5", r"\frac{1}{2}": "0.5", "1/2": "0.5", "2": "2", "2.0": "2", "B": "B", "x+1": "1+x", "1+x": "1+x",
        None: None,
    }  # fmt: skip


def test_a_result_that_equals_two_different_ones_in_one_direction_joins_neither_by_it() -> None:
    def without_unit(pairs: pl.DataFrame) -> pl.Series:
        """As an answer without a unit is accepted for a reference with any, and not the other way."""
        return pairs.select(pl.col("answer") == r"\boxed{5}").to_series()

    assert classes("5", "5 J", "5 kJ", equal=without_unit) == {"5": "5", "5 J": "5 J", "5 kJ": "5 kJ"}


def test_a_pair_is_compared_once_and_equal_spellings_never() -> None:
    asked: list[tuple[str, str]] = []

    def never(pairs: pl.DataFrame) -> pl.Series:
        asked.extend(pairs.select("answer", "reference").rows())
        return pl.repeat(False, pairs.height, eager=True)

    classes("1", "1", "1.0", " 1 ", "2", "3", equal=never)
    assert asked == [(r"\boxed{2}", "1"), (r"\boxed{3}", "1"), (r"\boxed{3}", "2")]


def answered(*results: str | None, **more) -> list[dict]:
    """Candidates to an open question whose answers state these results."""
    return [rewarded(4, consensus_answers=9, result=result, equal_to=result, **more) for result in results]


def ends(rows: list[dict], **policy) -> list[str]:
    found = decide(*rows, **{"accept": "consensus", **policy})
    return [row["verdict"] if row["kept"] else f"{row['drop_reason']} {row['decided_by'][13:]}" for row in found]


def test_shares_are_of_all_answers_with_a_result_or_without() -> None:
    rows = answered("1", "1", "1", None)
    assert ends(rows) == ["pass"] * 3 + ["unverifiable accept"]
    assert ends(rows, min_share=0.76) == ["unverifiable min_share"] * 4
    assert ends(rows, min_samples=5) == ["unverifiable min_samples"] * 4
    assert ends(rows, keep_unverifiable=True) == ["pass"] * 3 + ["unverifiable"]
    assert ends([*answered("1", "1", "1", "2")]) == ["pass"] * 3 + ["against_consensus accept"]


def test_of_two_classes_of_one_size_none_leads() -> None:
    assert ends(answered("1", "1", "2", "2"), min_share=0.5) == ["unverifiable min_share"] * 4
    assert ends(answered("1", "1", "2", "2"), min_share=0) == ["unverifiable min_share"] * 4
    assert ends(answered("1", "1", "2", "3"), min_share=0.5) == ["pass"] * 2 + ["against_consensus accept"] * 2


def test_only_the_candidates_of_the_recipe_count_and_what_was_not_compared_is_no_answer() -> None:
    alone = [rewarded(4)]  # the only answer to its question
    cut = rewarded(4, truncated=True, well_formed=False)
    assert ends(alone) == ["unverifiable min_samples"]
    assert ends([*answered("1", "1", "1", "1"), cut], min_share=1)[:4] == ["pass"] * 4
    elsewhere = answered("2", "2", "2", "2", question_id="other")
    assert ends([*answered("1", "1", "1", "1"), *elsewhere]) == ["pass"] * 8


def test_a_verifier_weighs_more_than_a_consensus_and_the_judge_is_the_second_voice() -> None:
    wrong = [{"math_verdict": "fail", "consensus_answers": 4, "result": "1", "equal_to": "1"}] * 4
    assert ends(wrong) == ["wrong_answer accept"] * 4
    (first, *_) = decide(*answered("1", "1", "1", "1"), accept="consensus")
    assert (first["evidence"], first["second_verdict"], first["passed"], first["pass_rate"]) == (
        "consensus",
        "pass",
        None,
        None,
    )


def told(*answers: tuple[str | None, str]) -> list[dict]:
    """(result, math verdict) of each."""
    return [
        {"consensus_answers": 9, "result": result, "equal_to": result, "math_verdict": verdict, "math_reason": "r"}
        for result, verdict in answers
    ]


TEN = {"min_share": 0.9, "min_samples": 10}
NINE_AGAINST = [*told(*[("42", "fail")] * 9), *told(("44", "pass"))]


def repaired(rows: list[dict], **agreement) -> list[tuple]:
    found = decide(*rows, reference={"repair": {**TEN, **agreement}})
    return [(row["reference_doubtful"], row["repaired_reference"], row["verdict"], row["detail"]) for row in found]


def test_a_repaired_reference_decides_on_every_answer() -> None:
    *agreeing, other = repaired(NINE_AGAINST)
    assert agreeing == [(True, "42", "pass", None)] * 9
    assert other == (True, "42", "fail", "math: different from the repaired reference 42")
    *_, none = repaired([*NINE_AGAINST[:9], *told((None, "fail"))])
    assert none == (True, "42", "unverifiable", "math: no result to compare with the repaired reference")
    (*_, other) = decide(*NINE_AGAINST, reference={"repair": TEN})
    assert other["decided_by"] == "verification.reference.repair" and other["pass_rate"] == 0.9


@pytest.mark.parametrize(
    ("rows", "agreement"),
    [
        (NINE_AGAINST, {"min_share": 0.91}),
        (NINE_AGAINST, {"min_samples": 11}),
        ([*told(*[("42", "pass")] * 9), *told(("44", "fail"))], {}),  # they agree with the reference
        ([*told(*[("42", "unverifiable")] * 9), *told(("44", "fail"))], {}),  # nobody can tell
        ([*told(*[("42", "fail")] * 8), *told(("42", "pass")), *told(("44", "fail"))], {}),  # one of them passes
        (told(*[(None, "fail")] * 10), {}),
        ([row | {"has_tests": True, "code_verdict": "fail"} for row in NINE_AGAINST], {}),
    ],
)
def test_a_reference_is_sound_unless_enough_answers_agree_against_it(rows: list[dict], agreement: dict) -> None:
    assert {row[:2] for row in repaired(rows, **agreement)} == {(False, None)}


def test_a_second_opinion_that_a_recipe_follows_is_no_answer_against_the_reference() -> None:
    agreed = [row | {"judged_equal": True} for row in NINE_AGAINST]
    (first, *_) = decide(*agreed, reference={"drop": TEN}, split="judge")
    assert first["kept"] and not first["reference_doubtful"]
    (first, *_) = decide(*agreed, reference={"drop": TEN})
    assert (first["drop_reason"], first["decided_by"]) == ("reference_doubtful", "verification.reference.drop")
    assert first["detail"] == "9 of 10 answers agree on 42"


@pytest.mark.parametrize(
    ("passed", "failed", "rates", "field"),
    [
        (4, 0, {"most": 0.9}, "most"),
        (3, 1, {"most": 0.75}, None),
        (3, 1, {"most": 0.74}, "most"),
        (1, 3, {"least": 0.25}, None),
        (1, 3, {"least": 0.26}, "least"),
        (1, 0, {"most": 0.9}, None),  # one attempt says little
        (1, 0, {"most": 0.9, "min_attempts": 1}, "most"),
        (4, 0, {}, None),
    ],
)
def test_pass_rates_have_bounds_which_belong_to_them(passed: int, failed: int, rates: dict, field: str | None) -> None:
    rows = told(*[("1", "pass")] * passed, *[("2", "fail")] * failed)
    (first, *_) = decide(*rows, pass_rates=rates)
    assert (first["drop_reason"], first["decided_by"]) == (
        ("pass_rate", f"verification.pass_rates.{field}") if field else (None, None)
    )


def test_an_unverifiable_answer_is_no_attempt_and_a_judge_has_no_word_in_the_rate() -> None:
    rows = [*told(("1", "pass"), ("2", "fail"), (None, "unverifiable")), *answered(None, None, question_id="open")]
    found = decide(*rows, accept="reward")
    assert [row["passed"] for row in found] == [True, False, None, None, None]
    assert [row["pass_rate"] for row in found] == [0.5, 0.5, 0.5, None, None]


def test_settings_that_decide_nothing_are_no_part_of_a_stored_policy() -> None:
    recipe = {"teacher": {"model": "m"}, "training": {"student": "s"}}
    new = {"min_share", "min_samples", "reference", "pass_rates"}

    def stored(**verification) -> set[str]:
        return new & {*settings(Recipe(**recipe, verification=verification), "verification")["setting"]}

    assert stored() == stored(min_share=0.9, accept="verified") == set()
    assert stored(accept="consensus") == {"min_share", "min_samples"}
    assert stored(reference={"repair": {}}, pass_rates={"most": 0.9}) == {"reference", "pass_rates"}
    policy = VerificationPolicy(accept="consensus", reference={"drop": {"min_samples": 3}})
    assert VerificationPolicy.model_validate(policy.model_dump()) == policy


def test_settings_that_contradict_each_other_are_errors() -> None:
    with pytest.raises(ValueError, match="drop and repair both say"):
        ReferencePolicy(drop=Agreement(), repair=Agreement())
    with pytest.raises(ValueError, match=r"least 0.9 lies above most 0.1"):
        PassRates(least=0.9, most=0.1)
    instruments = Instruments(labels={"model": "m"}, reward={"model": "m"})

    def faults(**teacher) -> list[str]:
        verification = {"accept": "consensus", "reference": {"repair": {}}}
        recipe = Recipe(teacher={"model": "m", **teacher}, training={"student": "s"}, verification=verification)
        return list(unmeasured(recipe, instruments, "r.yaml"))

    assert faults(samples=1) == faults(samples=8, published=False) == []
    few, fewer = faults(samples=3, published=False)
    assert few.startswith("r.yaml: verification.min_samples: 4, but teacher.samples asks for 3")
    assert fewer.startswith("r.yaml: verification.reference.repair.min_samples: 8, but")
