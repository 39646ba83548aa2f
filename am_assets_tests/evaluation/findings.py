"""Findings of a made-up recipe, for tests of its page: every section filled, and texts that would like to be markup."""

from dataclasses import replace

import polars as pl

from am_assets.config.vocabulary import QUESTION_DROPS, RESPONSE_DROPS
from am_assets.evaluation import distributions, examples, report
from am_assets.evaluation.page import Findings
from am_assets.evaluation.scores import STUDENTS, score_table
from am_assets.verification.figures import BY, pass_rates

HOSTILE = (
    "</pre></details></article><script>document.title = 'owned'</script>"
    "<img src=x onerror=\"document.title = 'owned'\"><style>body{display:none}</style>"
    '<iframe src="http://192.0.2.1/"></iframe>{{ 7 * 7 }} & "quoted" <b>bold</b>'
)
ROWS = 60
CATEGORIES = ["math", "math", "coding", "reasoning", "others", "unlabelled"]
DIFFICULTIES = ["easy", "medium", "medium", "hard"]
SOURCES = ["arithmetic", "python-tasks", "<i>open</i> questions"]


def findings() -> Findings:
    """60 distinct questions of 66 rows; every fifth goes before the teacher, every third response after."""
    questions = pl.DataFrame([_question(i) for i in range(ROWS)], schema_overrides={"representative": pl.String})
    deduped = _with_reasons(questions.with_columns(copies=1 + pl.col("i") % 10 // 9), "deduped", QUESTION_DROPS)
    selected = _with_reasons(questions.join(deduped.filter("kept"), on="i", how="semi"), "selected", QUESTION_DROPS)
    asked = selected.filter("kept").filter(pl.col("i") != 13)
    verified = _with_reasons(
        asked.with_columns(response_id=pl.format("{}-r", "question_id")), "verified", RESPONSE_DROPS
    )
    texts = verified.select("response_id", *_TEXTS, response=pl.format("<think>{}</think>", "think"))
    held = {f"{part}_chars": pl.col(part).str.len_chars() for part in ("think", "answer")}
    sft = verified.filter("kept").with_columns(check=pl.col("evidence").replace_strict(_CHECKS), **held).lazy()
    pool, responses = questions.select("question_id", "question").lazy(), texts.lazy()
    released = distributions.released(sft)
    costs = verified.select("response_id", completion_tokens=pl.lit(900), cost=pl.lit(0.0125))
    return Findings(
        funnel=report.funnel(deduped, selected, verified, released),
        released=released,
        origins=verified.filter("kept")["origin"],
        pass_rate=pass_rates(verified, [])["pass_rate"].item(),
        rates={by: pass_rates(verified, [by]) for by in BY},
        costs=report.teacher_costs(costs, verified),
        scores=scores(),
        dedup_curve=[(0.8, 20), (0.9, 40), (0.95, 48), (1.0, 52)],
        dedup_mark=0.95,
        reward_curve=report.reward_curve(verified),
        reward_mark=0.7,
        loss_curve=[(1, 2.4), (20, 1.1), (40, 0.703)],
        kept=examples.kept_rows(examples.sampled(released), sft),
        dropped_questions=examples.dropped_questions(deduped, selected, pool),
        dropped_responses=examples.dropped_responses(verified, responses, pool),
    )


def scores() -> pl.DataFrame:
    """Of 50 questions, the trained student passes 22 and the untrained 5; the rows touch 10 of those that both pass or
    fail."""
    before, after = [1] * 5 + [0] * 45, [1] * 22 + [0] * 28
    rows = [
        (student, f"q{at:02d}", 1, float(share), float(share), 0.0, 1.0 - share, 0.0, 40.0)
        for student, shares in (("untrained", before), ("trained", after))
        for at, share in enumerate(shares)
    ]
    names = ["student", "item_id", "samples", "pass@1", "maj@3", "truncated", "malformed", "unverifiable", "tokens"]
    questions = pl.DataFrame(rows, schema=names, orient="row").cast({"student": STUDENTS, "samples": pl.UInt16})
    touched = pl.Series([f"q{at:02d}" for at in range(40, 50)])
    return score_table(questions, touched).with_columns(benchmark=pl.lit("held_out"))


def without_results(found: Findings) -> Findings:
    """The same recipe before anything was answered."""
    funnel = found.funnel.with_columns(
        rows=pl.when(pl.col("stage").is_in(["verification", "dataset"])).then(0).otherwise("rows").cast(pl.UInt32)
    )
    return replace(
        found,
        funnel=funnel,
        released=found.released.clear(),
        origins=found.origins.clear(),
        pass_rate=None,
        rates={by: rows.clear() for by, rows in found.rates.items()},
        costs=found.costs.clear(),
        scores=found.scores.clear(),
        dedup_curve=[],
        reward_curve=[],
        kept=[],
        dropped_questions=[],
        dropped_responses=[],
    )


_TEXTS = ["question", "think", "answer", "reference_answer", "test_case"]
_CHECKS = {"math": "reference answer", "code": "test case", "reward": "neither"}
_REASONS = {
    "deduped": {5: "defective", 11: "near_duplicate", 17: "near_duplicate"},
    "selected": {4: "contaminated", 23: "unsuitable", 29: "downsampled"},
    "verified": {
        2: "truncated", 3: "wrong_answer", 6: "failed_tests", 8: "low_reward", 9: "unverifiable", 14: "repetitive",
    },
}  # fmt: skip


def _question(i: int) -> dict:
    reward = i % 7 / 6
    checked = {0: ("math", "14", None), 1: ("code", None, "assert f(2) == 4"), 2: ("reward", None, None)}[i % 3]
    return {
        "i": i,
        "question_id": f"{i * 7919 % 10007:08x}",
        "shard": "s",
        "source": SOURCES[i % 3],
        "category": CATEGORIES[i % 6],
        "difficulty": DIFFICULTIES[i % 4],
        "teacher": "some/teacher",
        "origin": "published" if i % 4 == 0 else "distilled",
        "evidence": checked[0],
        "reference_answer": checked[1],
        "test_case": checked[2],
        "reward": reward,
        "verdict": "unverifiable" if i == 9 else "fail" if i in _REASONS["verified"] else "pass",
        "question": f"{HOSTILE} What is {i} plus {i}?",
        "think": f"{HOSTILE} " + "step by step " * (40 if i % 2 else 900),
        "answer": f"{HOSTILE} \\boxed{{{2 * i}}}",
        "screens": ["refusal", "secret"] if i == 14 else [],
        "representative": None,
        "detail": HOSTILE if i % 2 else None,
    }


def _with_reasons(rows: pl.DataFrame, stage: str, reasons: list[str]) -> pl.DataFrame:
    at = _REASONS[stage]
    return rows.with_columns(
        drop_reason=pl.col("i").replace_strict(at, default=None, return_dtype=pl.String).cast(pl.Enum(reasons)),
    ).with_columns(kept=pl.col("drop_reason").is_null())
