"""The verified set: which candidate responses a recipe keeps, and the drop reason of every other.

Decisions only, over evidence and one policy: no measuring, no texts, no model.
"""

from typing import NamedTuple

import polars as pl

from am_assets.config.recipe import VerificationPolicy
from am_assets.config.vocabulary import EXCLUDED, RESPONSE_DROPS, SCREENS, VERDICTS
from am_assets.datasets.pass_rates import beyond
from am_assets.storage.schemas import VerifiedSet
from am_assets.verification import agreement
from am_assets.verification.reward import aggregate
from am_assets.verification.settle import of_verifier, settled, with_verifier
from am_assets.verification.verifiers import VERIFIERS, Verifier

VERSION = "10"  # raise when a rule here decides or describes otherwise
NO_VERDICT = "no verdict"
MALFORMED = "not <think>…</think> and an answer"
# What `keep` prefers among the passed responses of a question; ties are broken by response id.
PREFERENCE = {
    "first": pl.col("sample_index"),
    "shortest": pl.col("response_chars"),
    "best_reward": -pl.col("reward"),
}
EVIDENCE, VERDICT, REASON, REWARD = pl.col("evidence"), pl.col("verdict"), pl.col("reason"), pl.col("reward")
BY_REWARD, BY_CONSENSUS = EVIDENCE == "reward", EVIDENCE == "consensus"


class Rule(NamedTuple):
    """Expressions over a candidate: whether it breaks the rule, the detail, and the recipe's field that decides."""

    broken: pl.Expr
    detail: pl.Expr
    decided_by: pl.Expr


Rules = dict[str, Rule]  # by drop reason


def verified_set(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """VerifiedSet: every candidate with its verdict and its drop reason, sorted by response_id.

    `candidates` has one row per response: response_id, question_id, shard, source, category, difficulty, teacher,
    origin, sample_index, finish_reason, template, well_formed, truncated, think_chars, repetition, consecutive,
    prompt_share, answer_language, response_chars, screens, findings, verifiers (names), for each verifier
    `<name>_verdict`, `<name>_reason` and `<name>_<column>` of what it `decides_on`, of AnswerConsensus
    `consensus_answers`, result and equal_to, and the five reward dimensions; null where not measured.

    Evidence: the verifier of the question, or one that counts beside it where that verdict is worse; else the reward,
    or the consensus of the candidates: `policy.accept` says which, and restricts which evidence counts. A missing
    verdict is unverifiable. The drop reason is the first of RESPONSE_DROPS that holds, `detail` the measure and the
    threshold, `decided_by` the field that sets the threshold.
    """
    rules = _form_rules(policy) | _screen_rules(policy) | _evidence_rules(policy) | _rate_rules(policy)
    ruled = _apply(rules, judged(candidates, policy))
    if policy.keep != "all":
        ruled = _choose(ruled, policy.keep)
    return (
        ruled.with_columns(kept=pl.col("drop_reason").is_null(), reward=REWARD.cast(pl.Float32))
        .select(VerifiedSet.column_names())
        .sort("response_id")
    )


def judged(candidates: pl.DataFrame, policy: VerificationPolicy) -> pl.DataFrame:
    """`candidates` with reward, evidence, verdict, second_verdict, reason, settled_by, what `agreement.py` adds, and
    repetitive, and with empty screens and findings where a response was not screened."""
    unverified = "consensus" if policy.accept == "consensus" else "reward"
    decides = pl.lit("reward") if policy.accept == "reward" else pl.col("verifier").fill_null(unverified)
    reason, settled_by = map(of_verifier, ("reason", "decided_by"))
    agreed, agreed_reason, agreed_by = agreement.by_consensus(policy)
    rewarded = _reward_verdict(policy)
    repetitive = (pl.col("repetition") > policy.max_repetition) | (pl.col("consecutive") > policy.max_consecutive)
    counted = agreement.with_doubt(settled(agreement.with_classes(candidates), policy), policy.reference)
    verified = with_verifier(counted).with_columns(verified=of_verifier("verdict"))
    return (
        agreement.with_pass_rates(verified)
        .with_columns(
            decides.alias("evidence"),
            aggregate(policy.weights).cast(pl.Float64).round(6).alias("reward"),  # rounded: 0.7 from thirds is 0.7
            repetitive.fill_null(False).alias("repetitive"),
            pl.col("screens", "findings").fill_null([]),
        )
        .with_columns(
            verdict=pl.when(BY_REWARD).then(rewarded).when(BY_CONSENSUS).then(agreed).otherwise("verified"),
            second_verdict=pl.when(BY_REWARD).then("verified").otherwise(rewarded),
            reason=pl.when(BY_CONSENSUS).then(agreed_reason).when(~BY_REWARD).then(reason).fill_null(NO_VERDICT),
            settled_by=pl.when(BY_CONSENSUS).then(agreed_by).when(~BY_REWARD).then(settled_by),
        )
        .with_columns(pl.col("verdict").fill_null("unverifiable"))
        .with_columns(pl.col("verdict", "second_verdict").cast(pl.Enum(VERDICTS)))
    )


def _minima(policy: VerificationPolicy) -> dict[str, int]:
    return {name: least for name, least in policy.minima.model_dump().items() if least}


def _reward_verdict(policy: VerificationPolicy) -> pl.Expr:
    """Null without a reward, or where a dimension with a minimum has no score."""
    enough = pl.all_horizontal(
        policy.min_reward <= REWARD, *(pl.col(name) >= least for name, least in _minima(policy).items())
    )
    verdict = pl.when(enough).then(pl.lit("pass")).when(~enough).then(pl.lit("fail"))
    return pl.when(REWARD.is_not_null()).then(verdict).cast(pl.Enum(VERDICTS))


def _form_rules(policy: VerificationPolicy) -> Rules:
    """Rules on the form of a response, whatever its answer."""
    template, language = pl.col("template").cast(pl.String), pl.col("answer_language")
    well_formed = pl.col("well_formed").fill_null(False)
    repeats = _any_of(_above("repetition", policy.max_repetition), _above("consecutive", policy.max_consecutive))
    unwanted = pl.lit(False) if policy.languages is None else ~language.is_in([*policy.languages, "und"])
    return {
        "excluded": Rule(pl.col("finish_reason") == EXCLUDED, pl.lit("listed in exclude.txt"), pl.lit(None, pl.String)),
        "reference_doubtful": Rule(
            pl.col("reference_doubtful") & pl.lit(policy.reference.drop is not None),
            agreement.agree_on(),
            _field("reference.drop"),
        ),
        "truncated": Rule(pl.col("truncated"), pl.lit("ended by the token limit"), pl.lit("teacher.max_tokens")),
        "malformed": Rule(
            ~well_formed | ~template.is_in(policy.templates),
            pl.when(well_formed).then(pl.format("template {}", template)).otherwise(pl.lit(MALFORMED)),
            _field("templates"),
        ),
        "unreasoned": _below("think_chars", policy.min_think_chars, "min_think_chars"),
        "repetitive": repeats._replace(broken=pl.col("repetitive")),
        "other_language": Rule(unwanted, pl.format("answer in {}", language), _field("languages")),
        "leaked": _above("prompt_share", policy.max_prompt_share),
    }


def _screen_rules(policy: VerificationPolicy) -> Rules:
    """Rules on what screens found in question and response; the detail is the first finding, and where it stands."""
    return {name: _finding(name) for name in SCREENS if name in policy.screens}


def _finding(screen: str) -> Rule:
    found = pl.col("findings").list.filter(pl.element().struct["screen"] == screen).list.first().struct
    detail = pl.format("{} in the {}", found["shown"], found["part"].cast(pl.String))
    return Rule(pl.col("screens").list.contains(screen), detail, _field("screens"))


def _evidence_rules(policy: VerificationPolicy) -> Rules:
    """Rules on the verdict of the evidence that the policy accepts."""
    if policy.accept == "all":
        return {}
    failures: dict[str, list[Rule]] = {}
    for verifier in VERIFIERS.values():
        failures.setdefault(verifier.drop_reason, []).append(_failure(verifier))
    return {
        "unchecked": Rule(
            BY_REWARD if policy.accept == "verified" else pl.lit(False),
            pl.lit("no reference answer, tests or constraints"),
            _field("accept"),
        ),
        **{reason: _any_of(*rules) for reason, rules in failures.items()},
        "against_consensus": Rule((VERDICT == "fail") & BY_CONSENSUS, REASON, _field("accept")),
        "unverifiable": Rule(
            (VERDICT == "unverifiable") & (not policy.keep_unverifiable),
            pl.format("{}: {}", EVIDENCE, REASON),
            pl.coalesce("settled_by", _field("keep_unverifiable")),
        ),
        "low_reward": _any_of(
            _below("reward", policy.min_reward, "min_reward"),
            *(_below(name, least, f"minima.{name}") for name, least in _minima(policy).items()),
        )._replace(broken=(VERDICT == "fail") & BY_REWARD),
    }


def _rate_rules(policy: VerificationPolicy) -> Rules:
    """The rule on how many of the responses to a question passed."""
    sides = beyond(policy.pass_rates).items()
    return {"pass_rate": _any_of(*(Rule(*side, _field(f"pass_rates.{name}")) for name, side in sides))}


def _failure(verifier: Verifier) -> Rule:
    return Rule(
        (VERDICT == "fail") & (verifier.name == EVIDENCE),
        pl.format(verifier.detail or f"{verifier.name}: {{}}", REASON),
        pl.coalesce("settled_by", _field("accept")),
    )


def _field(name: str) -> pl.Expr:
    return pl.lit(f"verification.{name}")


def _above(name: str, most: float) -> Rule:
    value = pl.col(name).cast(pl.Float64)
    return Rule(value > most, pl.format(f"{name} {{}} > {most:g}", value.round(4)), _field(f"max_{name}"))


def _below(name: str, least: float, field: str) -> Rule:
    value = pl.col(name)
    return Rule(value < least, pl.format(f"{name} {{}} < {least:g}", value.round(4)), _field(field))


def _any_of(*rules: Rule) -> Rule:
    """One rule out of several, with the detail and the field of the first that is broken."""
    return Rule(
        pl.any_horizontal(rule.broken for rule in rules),
        pl.coalesce(pl.when(rule.broken).then(rule.detail) for rule in rules),
        pl.coalesce(pl.when(rule.broken).then(rule.decided_by) for rule in rules),
    )


def _apply(rules: Rules, judged: pl.DataFrame) -> pl.DataFrame:
    """`judged` with drop_reason, detail and decided_by of the first rule that each row breaks."""
    first = _any_of(*rules.values())
    reason = pl.coalesce(pl.when(rule.broken).then(pl.lit(name)) for name, rule in rules.items())
    return judged.with_columns(
        reason.cast(pl.Enum(RESPONSE_DROPS)).alias("drop_reason"),
        first.detail.alias("detail"),
        first.decided_by.alias("decided_by"),
    )


def _choose(ruled: pl.DataFrame, keep: str) -> pl.DataFrame:
    """`ruled` with all but the preferred response of each question dropped as `not_chosen`."""
    left = pl.col("drop_reason").is_null()
    order = [left.not_(), pl.col("question_id"), PREFERENCE[keep], pl.col("response_id")]
    first = pl.col("response_id").first().over("question_id")
    lost = left & (pl.col("response_id") != first)
    return ruled.sort(order, nulls_last=True).with_columns(
        pl.when(lost).then(pl.lit("not_chosen", pl.Enum(RESPONSE_DROPS))).otherwise("drop_reason").alias("drop_reason"),
        pl.when(lost).then(pl.format(f"keep: {keep} is {{}}", first)).otherwise("detail").alias("detail"),
        pl.when(lost).then(_field("keep")).otherwise("decided_by").alias("decided_by"),
    )
