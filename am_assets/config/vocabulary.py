"""The closed lists of words that tables and settings are written in: categories, verdicts, reasons to drop a row."""

CATEGORIES = ["math", "coding", "information_seeking", "reasoning", "planning", "creative_writing", "others"]
DIFFICULTIES = ["very_easy", "easy", "medium", "hard", "very_hard"]
UNLABELLED = "unlabelled"
VERDICTS = ["pass", "fail", "unverifiable"]
# How a test ended.
OUTCOMES = ["pass", "wrong_answer", "exception", "timeout", "memory", "output_limit", "compile_error", "exited_early"]
UNKNOWN_OUTCOMES = ["no_compiler", "sandbox_error"]  # they say nothing of the program
OUTCOMES += UNKNOWN_OUTCOMES
TEMPLATES = ["paper", "plain"]  # <think>…</think> <answer>…</answer>, or <think>…</think> and the answer
REWARD_DIMENSIONS = ["correctness", "helpfulness", "coherence", "complexity", "verbosity"]

# Why a question leaves the pool, in the order the rules are asked; the first that holds is the reason.
QUESTION_DROPS = [
    "defective",  # empty or oversized text: `raw_pool.defect` says which
    "exact_duplicate",  # same normalized text as a kept question
    "near_duplicate",  # cosine to a kept question at or above dedup.threshold
    "contaminated",  # matches a benchmark item
    "unsuitable",  # needs an image, a link or a table, is cut off, or is in a language not asked for
    "downsampled",  # draw from the id at or above the rate of its category and difficulty
]
# Why a response leaves, in the order the rules are asked.
RESPONSE_DROPS = [
    "truncated",  # ended by the token limit
    "malformed",  # no think part and answer part in one of verification.templates
    "repetitive",  # repetition above verification.max_repetition, or consecutive above max_consecutive
    "other_language",  # the answer is in none of verification.languages
    "leaked",  # more of the answer stands in the question than verification.max_prompt_share
    "unchecked",  # no reference, tests or constraints, and the policy accepts what they verify alone
    "wrong_answer",  # math verdict fail
    "failed_tests",  # code verdict fail
    "broken_constraints",  # instruction verdict fail
    "unverifiable",  # no verdict could be reached and the policy does not keep such rows
    "low_reward",  # aggregated reward under verification.min_reward
    "not_chosen",  # passed, but the policy keeps other responses of the question
]
