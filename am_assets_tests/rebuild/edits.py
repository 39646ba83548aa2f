"""What a field is edited to where any other valid value would show nothing, or would contradict another field."""

from dataclasses import dataclass, field
from typing import Any

from am_assets_tests.rebuild.small import ROUND_NAME, STUDENTS


@dataclass(frozen=True)
class With:
    """A value that is valid only where other fields of the same section are changed with it."""

    value: Any
    beside: dict[str, Any] = field(default_factory=dict)


# The entry of a file that is edited, where it is not the one of its kind.
ENTRIES = {
    **dict.fromkeys(["source.generator", "source.seed", "source.datasets"], "gym"),
    **dict.fromkeys(["benchmark.generator", "benchmark.seed", "benchmark.datasets"], "drill"),
}
DATASETS = {"basic_arithmetic": 3}
OF_ROUND = {"sampling.pass_rates.round": ROUND_NAME}
# What is served here has no address elsewhere.
SERVED = {"api_base": None, "api_key_env": None, "serve.engine": "vllm"}
VALUES: dict[str, Any] = {
    "recipe.dedup.threshold": 0.85,
    "recipe.dedup.priority": ["published", "has_check", "source_rank"],
    "recipe.dedup.languages": ["de", "en"],
    "recipe.sampling.decontamination.benchmarks": ["held_out", "drill"],
    "recipe.sampling.decontamination.ngram": 8,
    "recipe.sampling.decontamination.ngram_share": 0.35,
    "recipe.sampling.decontamination.wording": 0.65,
    "recipe.sampling.decontamination.cosine": 0.75,
    "recipe.sampling.decontamination.reworded": 0.7,
    "recipe.sampling.decontamination.confirmed": "either",
    "recipe.sampling.decontamination.confirmed_cosine": 0.95,
    "recipe.sampling.languages": ["en"],
    "recipe.sampling.drop": ["incomplete", "url", "image", "table"],
    "recipe.sampling.licenses": ["mit"],
    "recipe.sampling.pass_rates": {"round": ROUND_NAME},
    "recipe.sampling.pass_rates.round": ROUND_NAME,
    "recipe.sampling.pass_rates.least": With(0.5, OF_ROUND),
    "recipe.sampling.pass_rates.most": With(0.5, OF_ROUND),
    "recipe.sampling.pass_rates.min_attempts": With(1, OF_ROUND),
    "recipe.sampling.pass_rates.unmeasured": With("drop", OF_ROUND),
    "recipe.sampling.share": 0.5,
    "recipe.sampling.rates": {"medium": 0.2, "very_hard": 0.2},
    "recipe.sampling.shares.difficulty": {"medium": 0.2},
    "recipe.sampling.shares.category": {"planning": 0.1},
    "recipe.teacher.model": "openai/teacher-2",
    "recipe.teacher.samples": {"least": 1, "most": 3, "until": "pass"},
    "recipe.teacher.examples": [],
    "recipe.teacher.retry_max_tokens": 128,
    "recipe.teacher.stop": ["END"],
    "recipe.teacher.reasoning": {"reasoning_effort": "high"},
    "recipe.verification.min_share": With(0.5, {"verification.accept": "consensus"}),
    "recipe.verification.min_samples": With(2, {"verification.accept": "consensus"}),
    "recipe.verification.reference.drop": {"min_share": 0.6, "min_samples": 2},
    "recipe.verification.reference.repair": {"min_share": 0.6, "min_samples": 2},
    "recipe.verification.templates": ["paper"],
    "recipe.verification.min_think_chars": 11,
    "recipe.verification.max_repetition": 0.9,
    "recipe.verification.max_consecutive": 0.01,
    "recipe.verification.languages": ["en"],
    "recipe.verification.max_prompt_share": 0.2,
    "recipe.verification.screens": ["secret", "self_naming"],
    "recipe.verification.first_tests": 2,
    "recipe.verification.min_tests_passed": 0.5,
    "recipe.verification.split": "both",
    "recipe.verification.min_reward": 0.6,
    **{f"recipe.verification.minima.{name}": 3 for name in
       ("correctness", "helpfulness", "coherence", "complexity", "verbosity")},
    "recipe.release.license": "odbl",
    "recipe.preference.pairs": None,
    "recipe.preference.reject": ["wrong_answer", "failed_tests"],
    "recipe.preference.min_reward_gap": 0.5,
    "recipe.preference.max_length_ratio": 1.0,
    "recipe.rl.min_pass_rate": 0.5,
    "recipe.rl.max_pass_rate": 0.5,
    "recipe.training.student": STUDENTS[1],
    "recipe.training.max_length": 200,
    "recipe.training.dtype": "bfloat16",
    "recipe.training.max_loss_rise": 8.0,
    "recipe.training.parameters": With("bfloat16", {"training.dtype": "bfloat16"}),
    "recipe.training.lora": {"rank": 4, "targets": ["q_proj"]},
    "recipe.training.lora.targets": ["q_proj"],
    "recipe.evaluation.benchmarks": ["held_out", "drill"],
    "recipe.evaluation.by_benchmark": {"held_out": {"samples": 2, "max_tokens": 6}},
    "recipe.evaluation.touched.same_text": False,
    "recipe.evaluation.touched.same_template": False,
    "recipe.evaluation.touched.wording": 0.9,
    "recipe.evaluation.touched.cosine": 0.7,
    "recipe.evaluation.touched.reworded": 0.95,
    "source.location": "pool/more_mixed.jsonl",
    "source.adapter": "gsm8k",
    "source.columns": {"reference_answer": "second"},
    "source.generator": With("published_arithmetic", {"limit": 2, "datasets": {}}),
    "source.datasets": DATASETS,
    "source.limit": 9,
    "source.license": "cc-by-nc-4.0",
    "source.license_column": "second",
    "source.keep": ["reference_answer"],
    "source.where": "LENGTH(question) < 60",
    "benchmark.where": "LENGTH(question) > 18",
    "source.rank": 3,
    "benchmark.location": "pool/more_held_out.jsonl",
    "benchmark.adapter": "gsm8k",
    "benchmark.columns": {"reference_answer": "second"},
    "benchmark.generator": With(None, {"location": "pool/held_out.jsonl", "adapter": "jsonl", "datasets": {}}),
    "benchmark.datasets": DATASETS,
    "benchmark.limit": 2,
    "benchmark.prompt": "{question} In one word.",
    "benchmark.prompt.starter": With("{question} Complete it.", {"prompt.otherwise": "{question} Answer."}),
    "benchmark.prompt.otherwise": With("{question} Answer.", {"prompt.starter": "{question} Complete it."}),
    # By the numbers that items have instead of dates: 32, 42 and 45.
    "benchmark.window": {"first": "3300-01", "column": "reference_answer"},
    "benchmark.window.first": With("3300-01", {"window.column": "reference_answer"}),
    "benchmark.window.last": With("4300-01", {"window.column": "reference_answer"}),
    "benchmark.window.column": With("reference_answer", {"window.first": "3300-01"}),
    "benchmark.limits": {"max_tests": 1},
    "instruments.labels.model": "openai/labeler-2",
    "instruments.embeddings.model": "minilm",
    "instruments.pairs.floor": 0.7,
    "instruments.overlap.floor": 0.5,
    "instruments.overlap.confirm": None,
    "instruments.overlap.confirm.model": "openai/second-2",
    "instruments.overlap.confirm.floor": 0.6,
    "instruments.overlap.confirm.ceiling": 0.8,
    "instruments.math.opinion": None,
    "instruments.math.opinion.model": "openai/second-2",
    "instruments.math.relative_tolerance": 1e-3,
    "instruments.screens.unsafe": None,
    "instruments.screens.unsafe.model": "openai/second-2",
    "instruments.code.whitespace": "exact",
    "instruments.code.float_tolerance": 1e-3,
    "instruments.code.max_tests": 1,
    "instruments.code.packages": [],
    "instruments.code.testlib": "/bin/sh",  # any file that is there
    "instruments.reward.model": "openai/judge-2",
    "endpoint.model": "openai/other",
    "hardware.sequence_parallel": With(2, {"spread": "zero3", "devices": 2}),
    "hardware.offload": With(True, {"spread": "fsdp2"}),
    "endpoint.serve": With({"engine": "vllm"}, SERVED),
    "endpoint.serve.engine": With("vllm", SERVED),
    "endpoint.serve.arguments": With({"max-model-len": 64}, SERVED),
    "endpoint.serve.replicas": With(2, SERVED),
    "endpoint.serve.gpus": With(1, SERVED),
    "endpoint.serve.python": With("/opt/vllm", SERVED),
    "schedule.cron": "0 1 * * *",
    "schedule.timezone": "Europe/Berlin",
    "schedule.recipes": ["other"],
}  # fmt: skip
# Fields that no edit can exercise, and why.
UNEXERCISED: dict[str, str] = {
    "recipe.training.optimizer": "the other one needs torchao, an extra; test_dry_run.py has what an edit reaches",
}
