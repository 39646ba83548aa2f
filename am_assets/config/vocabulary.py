"""The closed vocabularies of tables and settings: categories, verdicts, test outcomes, drop reasons."""

from typing import Literal, get_args

CATEGORIES = ["math", "coding", "information_seeking", "reasoning", "planning", "creative_writing", "others"]
DIFFICULTIES = ["very_easy", "easy", "medium", "hard", "very_hard"]
UNLABELLED = "unlabelled"
VERDICTS = ["pass", "fail", "unverifiable"]
RELEASED_CHECKS = ["test case", "reference answer", "neither"]  # what a released answer can be held against
Outcome = Literal[  # of one test of a program
    "pass",
    "wrong_answer",
    "exception",
    "timeout",
    "memory",
    "output_limit",
    "compile_error",
    "exited_early",
    "no_compiler",
    "sandbox_error",
    "undecided",
]
OUTCOMES: list[str] = [*get_args(Outcome)]
# Of the sandbox or the tests, not of the program; the last: a module or a name is not there that the test needs, or the
# sandbox can't do what the test does.
UNKNOWN_OUTCOMES = ["no_compiler", "sandbox_error", "undecided"]
EXCLUDED = "excluded"  # listed in exclude.txt: a defect of questions, a finish reason of responses, a drop reason
# Why a model's answer ended, and how providers spell it. With any other reason, or none, it was interrupted: it is
# asked for again and never stored, and counts as not there where an earlier version stored it.
FINISHED = {
    "stop": ["stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token", "complete", "completed", "done"],
    "length": ["length", "max_tokens", "max_output_tokens", "model_length", "max_completion_tokens"],
    "content_filter": [
        "content_filter", "content_filtered", "safety", "refusal", "recitation", "sensitive", "blocklist",
        "prohibited_content", "spii", "guardrail_intervened",
    ],
    "context_exceeded": ["context_exceeded", "model_context_window_exceeded"],
    "tool_calls": ["tool_calls", "tool_use", "function_call"],
    "excluded": ["excluded"],  # of no provider: its text was taken out, see `datasets/exclusions.py`
}  # fmt: skip
FINISH_REASONS = {spelled: reason for reason, spellings in FINISHED.items() for spelled in spellings}
TEMPLATES = ["paper", "plain"]  # <think>…</think> <answer>…</answer>, or <think>…</think> and the answer
REWARD_DIMENSIONS = ["correctness", "helpfulness", "coherence", "complexity", "verbosity"]

# Why a question is dropped, in the order in which the rules apply; the first that matches is the reason.
QUESTION_DROPS_MEAN = {
    "excluded": "listed in exclude.txt",
    "defective": "empty or oversized text, see `raw_pool.defect`",
    "exact_duplicate": "the same normalized text as a kept question",
    "near_duplicate": "cosine to a kept question at or above dedup.threshold",
    "license": "is in none of sampling.licenses",
    "contaminated": "matches a benchmark item",
    "unsuitable": "needs an image, a link or a table, is cut off, or is in another language",
    "pass_rate": "solved too often or too seldom in an earlier round, see sampling.pass_rates",
    "downsampled": "its draw is at or above the rate of its category and difficulty",
}
QUESTION_DROPS = [*QUESTION_DROPS_MEAN]
# What questions and responses are screened for; each is the drop reason of a response that it hits.
Screen = Literal["secret", "personal_data", "self_naming", "cutoff_talk", "refusal", "unsafe"]
SCREENS: list[str] = [*get_args(Screen)]
WITHHELD = ["secret", "personal_data"]  # texts with such a finding are shown by no page and no command
PARTS = ["question", "think", "answer"]  # of what is screened
# Why a response is dropped, in the order in which the rules apply.
RESPONSE_DROPS_MEAN = {
    "excluded": "listed in exclude.txt",
    "reference_doubtful": "the answers to the question agree with each other against its reference",
    "truncated": "finish reason: the token limit",
    "malformed": "no think part and answer part in one of verification.templates",
    "unreasoned": "a think part under verification.min_think_chars",
    "repetitive": "repetition above verification.max_repetition, or consecutive above max_consecutive",
    "other_language": "the answer is in none of verification.languages",
    "leaked": "shares more of its text with the question than verification.max_prompt_share",
    "secret": "a key or token in the question or the response",
    "personal_data": "a mail address or phone number in them that may be a person's",
    "self_naming": "the teacher says what model it is, or who made it",
    "cutoff_talk": "the teacher speaks of the end of its knowledge",
    "refusal": "the teacher says that it won't answer",
    "unsafe": "a language model found question or response unsafe (`screens.unsafe` of instruments.yaml)",
    "unchecked": "no reference, tests or constraints, and the policy accepts verified responses only",
    "wrong_answer": "math verdict fail",
    "failed_tests": "code verdict fail",
    "broken_constraints": "instruction verdict fail",
    "against_consensus": "another result than the one that the answers to the question agree on",
    "unverifiable": "no verdict, and the policy does not keep such rows",
    "low_reward": "aggregated reward under verification.min_reward",
    "pass_rate": "too many or too few responses to the question passed, see verification.pass_rates",
    "not_chosen": "passed, but the policy prefers other responses to the question",
}
RESPONSE_DROPS = [*RESPONSE_DROPS_MEAN]
