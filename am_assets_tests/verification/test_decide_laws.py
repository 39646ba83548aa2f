"""Laws that hold for every set of candidates and every policy."""

from hypothesis import given
from hypothesis import strategies as st

from am_assets.config.agreement import PassRates, ReferencePolicy
from am_assets.config.recipe import Recipe, VerificationPolicy
from am_assets.config.rewards import RewardMinima
from am_assets.config.vocabulary import OUTCOMES, RESPONSE_DROPS, REWARD_DIMENSIONS, SCREENS, TEMPLATES, VERDICTS
from am_assets.verification.decide import verified_set
from am_assets_tests.verification.candidate_rows import found, frame


def with_findings(row: dict) -> dict:
    """Every screen that is named found something."""
    named = row["screens"]
    return row | (found(*((screen, "answer", "words") for screen in named)) if named else {"findings": named})


def in_a_class(row: dict) -> dict:
    """A result is stated by an answer that was compared."""
    result = row["result"] if row["consensus_answers"] else None
    return row | {"result": result, "equal_to": result and str(float(result))}


candidates = st.lists(
    st.fixed_dictionaries(
        {
            "question_id": st.sampled_from("abc"),
            "sample_index": st.integers(0, 3),
            "response_chars": st.integers(0, 3),
            "has_reference": st.booleans(),
            "has_tests": st.booleans(),
            "has_constraints": st.booleans(),
            "instruction_verdict": st.sampled_from([None, *VERDICTS]),
            "well_formed": st.booleans(),
            "truncated": st.booleans(),
            "think_chars": st.integers(0, 3),
            "repetition": st.floats(0, 1, width=32),
            "consecutive": st.floats(0, 1, width=32),
            "prompt_share": st.floats(0, 1, width=32),
            "template": st.sampled_from(TEMPLATES),
            "answer_language": st.sampled_from(["en", "zh", "und"]),
            "math_verdict": st.sampled_from([*VERDICTS, None]),
            "judged_equal": st.sampled_from([True, False, None]),
            "code_verdict": st.sampled_from([*VERDICTS, None]),
            "outcomes": st.none() | st.lists(st.sampled_from(OUTCOMES[:3]), max_size=3),
            "screens": st.none() | st.lists(st.sampled_from(SCREENS), unique=True),
            "result": st.sampled_from([None, "1", "1.0", "2"]),
            "consensus_answers": st.sampled_from([None, 3]),
            **dict.fromkeys(REWARD_DIMENSIONS, st.none() | st.integers(0, 4)),
        }
    )
    .map(with_findings)
    .map(in_a_class),
    max_size=12,
)
AGREED = {"min_share": 0.6, "min_samples": 2}
ACCEPT = ["best", "verified", "consensus", "reward", "all"]
LAX_AND_STRICT = {
    "min_think_chars": (0, 2),
    "max_repetition": (1, 0),
    "max_consecutive": (1, 0),
    "max_prompt_share": (1, 0),
    "screens": ([], SCREENS),
    "min_reward": (0, 1),
    "keep_unverifiable": (True, False),
    "languages": (None, ["en"]),
    "templates": (TEMPLATES, ["paper"]),
    "minima": (RewardMinima(), RewardMinima(correctness=3)),
    "min_tests_passed": (0.5, 0.9),
    "accept": ("best", "verified"),
    "pass_rates": (PassRates(), PassRates(least=0.3, most=0.7)),
    "reference": (ReferencePolicy(), ReferencePolicy(drop=AGREED)),
}
policies = st.builds(
    VerificationPolicy,
    accept=st.sampled_from(ACCEPT),
    min_think_chars=st.integers(0, 3),
    max_repetition=st.floats(0, 1),
    max_consecutive=st.floats(0, 1),
    max_prompt_share=st.floats(0, 1),
    screens=st.lists(st.sampled_from(SCREENS), unique=True),
    minima=st.builds(RewardMinima, correctness=st.integers(0, 4), verbosity=st.integers(0, 4)),
    keep_unverifiable=st.booleans(),
    first_tests=st.none() | st.integers(1, 3),
    min_tests_passed=st.floats(0, 1),
    split=st.sampled_from(["verifier", "judge", "either", "both"]),
    min_reward=st.floats(0, 1),
    keep=st.sampled_from(["all", "first", "shortest", "best_reward"]),
    min_share=st.floats(0, 1),
    min_samples=st.integers(2, 3),
    reference=st.sampled_from([{}, {"drop": AGREED}, {"repair": AGREED}]).map(ReferencePolicy.model_validate),
    pass_rates=st.builds(PassRates, least=st.floats(0, 0.5), most=st.floats(0.5, 1)),
)


def paths(content: dict, within: str = "") -> set[str]:
    below = [paths(value, f"{within}{name}.") for name, value in content.items() if isinstance(value, dict)]
    return {f"{within}{name}" for name in content}.union(*below)


EVERY = {"accept": "consensus", "reference": {"drop": AGREED}, "pass_rates": {"most": 0.9}}
RECIPE_FIELDS = paths(Recipe(teacher={"model": "m"}, training={"student": "s"}, verification=EVERY).model_dump())


@given(candidates, policies)
def test_every_row_has_exactly_one_fate(rows, policy):
    table = verified_set(frame(rows), policy)
    assert sorted(table["response_id"]) == sorted(frame(rows)["response_id"])
    assert (table["kept"] == table["drop_reason"].is_null()).all()
    assert (table["kept"] == table["detail"].is_null()).all()
    assert (table["kept"] == table["decided_by"].is_null()).all()
    assert set(table["decided_by"].drop_nulls()) <= RECIPE_FIELDS
    drops = table["drop_reason"].drop_nulls()
    assert set(drops) <= set(RESPONSE_DROPS) and drops.len() + table["kept"].sum() == len(rows)


@given(candidates, policies, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(rows, policy, random):
    table = frame(rows)
    order = list(range(table.height))
    random.shuffle(order)
    assert verified_set(table[order], policy).equals(verified_set(table, policy))


@given(candidates, policies)
def test_choosing_keeps_one_response_of_each_question_that_has_a_good_one(rows, policy):
    everything = verified_set(frame(rows), policy.model_copy(update={"keep": "all"})).filter("kept")
    chosen = verified_set(frame(rows), policy).filter("kept")
    if policy.keep != "all":
        assert sorted(chosen["question_id"]) == sorted(everything["question_id"].unique())
    assert set(chosen["response_id"]) <= set(everything["response_id"])


@given(candidates, policies, st.sampled_from(list(LAX_AND_STRICT)))
def test_stricter_settings_keep_a_subset(rows, policy, field):
    every = policy.model_copy(update={"keep": "all"})
    policies = [every.model_copy(update={field: value}) for value in LAX_AND_STRICT[field]]
    lax, strict = (set(verified_set(frame(rows), p).filter("kept")["response_id"]) for p in policies)
    assert strict <= lax


@given(candidates, policies)
def test_accepting_all_keeps_whatever_any_evidence_keeps(rows, policy):
    every = policy.model_copy(update={"keep": "all"})
    kept = {
        accept: set(
            verified_set(frame(rows), every.model_copy(update={"accept": accept})).filter("kept")["response_id"]
        )
        for accept in ACCEPT
    }
    assert kept["verified"] <= kept["best"]
    assert kept["verified"] <= kept["consensus"] <= kept["all"]
    assert kept["best"] | kept["reward"] <= kept["all"]
