"""Pairs of a chosen and a rejected response to one question, by verdict and reward, in the conversational form of trl.

Pure: which responses are kept, and why others are not, is decided in `verified_set`; files are written by `sets.py`.
Pairs are decided by narrow columns, and get their texts a few at a time:

    found, outcomes = pairs(verified_set, said, asked, policy)
    frame = with_texts(found, texts)  # of texts_of(found)
"""

import polars as pl

from am_assets.config.sets import PreferencePolicy
from am_assets.runtime.wording import counted
from am_assets.storage.schemas import PreferenceDataset
from am_assets.training import sets

VERSION = "1"  # raise when other pairs come out, or in another form
SIDE = ["question_id", "response_id", "shard", "teacher", "verdict", "reward", "chars"]
# What became of a question, in the order in which the rules apply.
MEANINGS = {
    "no_chosen": "no response that is kept and passed",
    "no_rejected": "one, and none that was rejected",
    "min_reward_gap": "rewards closer than `min_reward_gap`",
    "max_length_ratio": "lengths further apart than `max_length_ratio`",
    "paired": "with a pair",
}
OUTCOMES = list(MEANINGS)
CHATS, ROLES = ["prompt", "chosen", "rejected"], ["user", "assistant", "assistant"]
GAPS = [-1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1]


def candidates(verified: pl.DataFrame, policy: PreferencePolicy) -> pl.DataFrame:
    """The rows of VerifiedSet that are `chosen` or `rejected` (column `role`), of questions that have both.

    Chosen is a kept response that passed; rejected one that was dropped for a reason in `policy.reject`.
    """
    ours = _with_role(verified, policy).filter(pl.col("role").is_not_null())
    return ours.filter(pl.col("role").n_unique().over("question_id") == 2)


def pairs(
    verified: pl.DataFrame, said: pl.DataFrame, asked: pl.DataFrame, policy: PreferencePolicy
) -> tuple[pl.DataFrame, dict[str, int]]:
    """PreferenceDataset without its chats, sorted by its ids, with the shards of both sides; and the number of
    questions by outcome (OUTCOMES).

    `said` (response_id, a hash `text` of think and answer, and their `chars`) and `asked` (shard, question_id, license)
    hold those of `candidates` at least. Two responses of the same text are one. `ValueError` if a candidate lacks its
    text or its question.
    """
    sides = _distinct(candidates(verified, policy), said)
    compared = _compared(sides, policy)
    widest = compared.filter("far_enough", "alike_enough").sort(
        "question_id", "gap", "chosen_id", "rejected_id", descending=[False, True, False, False], nulls_last=True
    )
    if policy.pairs is not None:
        widest = widest.group_by("question_id", maintain_order=True).head(policy.pairs)
    return _decided(widest, asked), _outcomes(verified, compared, policy)


def _with_role(verified: pl.DataFrame, policy: PreferencePolicy) -> pl.DataFrame:
    chosen = pl.col("kept") & (pl.col("verdict") == "pass")
    rejected = pl.col("drop_reason").cast(pl.String).is_in(policy.reject)
    role = pl.when(chosen).then(pl.lit("chosen")).when(rejected).then(pl.lit("rejected"))
    return verified.with_columns(role=role)


def _distinct(candidates: pl.DataFrame, said: pl.DataFrame) -> pl.DataFrame:
    sides = candidates.join(said.unique("response_id"), on="response_id", how="left").sort("response_id")
    if holes := sides.filter(pl.col("text").is_null())["response_id"].head(1).to_list():
        raise ValueError(f"response {holes[0]} has no text: materialize responses and verified_set again")
    return sides.unique(["question_id", "role", "text"], keep="first", maintain_order=True)


def _compared(sides: pl.DataFrame, policy: PreferencePolicy) -> pl.DataFrame:
    """Every chosen with every rejected response of its question: whether their rewards are `far_enough` apart, and
    their lengths `alike_enough`."""
    beside = ["source", "category", "difficulty"]
    rejected_only = ["evidence", "drop_reason", "detail"]
    chosen = sides.filter(role="chosen").select(*beside, *SIDE)
    rejected = sides.filter(role="rejected").select(*rejected_only, *SIDE)
    names = {name: name.replace("response_id", "id") for name in SIDE[1:]}
    pairs = chosen.rename({name: f"chosen_{new}" for name, new in names.items()}).join(
        rejected.rename({name: f"rejected_{new}" for name, new in names.items()}), on="question_id"
    )
    reward, other = (pl.col(f"{side}_reward").cast(pl.Float64) for side in ("chosen", "rejected"))
    chars = [pl.col(f"{side}_chars").clip(1) for side in ("chosen", "rejected")]
    ratio = pl.max_horizontal(chars) / pl.min_horizontal(chars)
    gap = (reward - other).round(6)  # of 0.7 and 0.6 it is 0.1
    far = (pl.col("drop_reason") != "low_reward") | (gap >= policy.min_reward_gap)
    alike = pl.lit(True) if policy.max_length_ratio is None else ratio <= policy.max_length_ratio
    return pairs.with_columns(gap=gap, far_enough=far.fill_null(False), alike_enough=alike)


def _decided(pairs: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    questions = asked.select("question_id", "license", chosen_shard="shard", found=True)
    table = pairs.join(questions, on=["chosen_shard", "question_id"], how="left")
    if holes := table.filter(pl.col("found").is_null())["question_id"].to_list():
        told = f"{counted(len(holes), 'pair')} without question, first {min(holes)}"
        raise ValueError(f"{told}: materialize raw_pool again")
    narrow = [name for name in PreferenceDataset.column_names() if name not in CHATS]
    return (
        table.rename({"gap": "reward_gap", "drop_reason": "rejected_because"})
        .with_columns(pl.col("reward_gap").cast(pl.Float32))
        .select(*narrow, "chosen_shard", "rejected_shard")
        .sort("chosen_id", "rejected_id")
    )


def texts_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """The texts that `pairs` are made of: `id` of a question or response (`of`) in `shard`, and its `place` among all,
    as CHATS of one pair after the other."""
    ids = [("question", "chosen_shard", "question_id"), ("response", "chosen_shard", "chosen_id"),
           ("response", "rejected_shard", "rejected_id")]  # fmt: skip
    return pl.concat(
        pairs.select(of=pl.lit(of), shard=shard, id=name, place=pl.int_range(pl.len()) * len(CHATS) + number)
        for number, (of, shard, name) in enumerate(ids)
    )


def with_texts(pairs: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """PreferenceDataset of some of `pairs`, with what is `said` in the `texts_of` them, in their order."""
    said = [texts["said"].gather_every(len(CHATS), number) for number in range(len(CHATS))]
    chats = [sets.chat(role, of).alias(name) for role, of, name in zip(ROLES, said, CHATS, strict=True)]
    return pairs.with_columns(chats).select(PreferenceDataset.column_names())


def forms(table: pl.DataFrame, start: int) -> dict[str, pl.DataFrame]:
    return {"train": table}


def _outcomes(verified: pl.DataFrame, compared: pl.DataFrame, policy: PreferencePolicy) -> dict[str, int]:
    role, far, both = pl.col("role"), pl.col("far"), pl.col("both")
    met = compared.group_by("question_id").agg(
        far=pl.col("far_enough").any(), both=(pl.col("far_enough") & pl.col("alike_enough")).any()
    )
    questions = (
        _with_role(verified, policy)
        .group_by("question_id")
        .agg(chosen=(role == "chosen").any(), rejected=(role == "rejected").any())
        .join(met, on="question_id", how="left")
    )
    broken = [~pl.col("chosen"), ~pl.col("rejected"), ~far, ~both]
    outcome = pl.coalesce(
        *(pl.when(one).then(pl.lit(name)) for one, name in zip(broken, OUTCOMES, strict=False)), pl.lit(OUTCOMES[-1])
    )
    counts = dict(questions.select(outcome.alias("outcome"))["outcome"].value_counts().rows())
    return {name: counts.get(name, 0) for name in OUTCOMES}


def card(name: str, table: pl.DataFrame, outcomes: dict[str, int], policy: PreferencePolicy) -> str:
    """The card of the pairs of recipe `name`."""
    return sets.card(
        "preference",
        name,
        table,
        {"default": "train"},
        outcomes,
        policy,
        of="of the questions with responses",
        meanings=MEANINGS,
        histograms={"gap in reward": sets.bands(table["reward_gap"], GAPS)},
    )
