"""What the paper publishes of AM-DeepSeek-R1-Distilled-1.4M (arXiv 2503.19633), to stand beside a recipe's own
figures. Nothing measured here, and no figure that the paper does not print."""

SOURCE = "AM-DeepSeek-R1-Distilled-1.4M, arXiv 2503.19633"

# Rows of the released dataset.
CATEGORY_ROWS = {
    "math": 410_756,
    "coding": 339_907,
    "information_seeking": 311_427,
    "reasoning": 145_329,
    "planning": 31_757,
    "creative_writing": 30_144,
    "others": 130_671,
}
DIFFICULTY_ROWS = {"very_easy": 65_332, "easy": 157_053, "medium": 725_892, "hard": 360_137, "very_hard": 91_576}

# pass@1 in percent; AIME2024 over 16 samples a question, the others over 4.
BENCHMARKS = ["AIME2024", "MATH-500", "GPQA-Diamond", "LiveCodeBench"]
SCORES = {
    "DeepSeek-R1-Distill-Qwen-32B": [72.6, 94.3, 62.1, 57.2],
    "AM-Distill-Qwen-32B": [72.7, 96.2, 64.3, 59.1],
    "DeepSeek-R1-Distill-Llama-70B": [70.0, 94.5, 65.2, 57.5],
    "AM-Distill-Qwen-72B": [76.5, 97.0, 65.9, 59.7],
}
