"""Figures that the paper and the dataset card of AM-DeepSeek-R1-Distilled-1.4M (arXiv 2503.19633) publish, for
comparison with a recipe's own. Constants only, and none that they do not print."""

SOURCE = "AM-DeepSeek-R1-Distilled-1.4M, arXiv 2503.19633"
URL = "https://arxiv.org/abs/2503.19633"

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
CHECK_ROWS = {"reference answer": 543_935, "test case": 306_818, "neither": 549_238}
ORIGIN_ROWS = {"distilled": 900_000, "published": 500_000}  # in round numbers

# Questions by source, of the dataset card; those it does not name are about 120,600.
SOURCE_ROWS = {
    "natural_reasoning": 319_085,
    "InfinityInstruct": 306_675,
    "KodCode": 210_838,
    "Dolphin-R1": 63_921,
    "openR1Math_extended": 63_290,
    "NuminaMath_1.5": 62_446,
    "openR1Math_default": 62_239,
    "codeio": 55_176,
    "GeneralThought-Feb25": 50_600,
    "openThoughts": 34_620,
    "OpenCoder": 22_249,
    "data_ablation_full59K": 14_155,
    "MetaMathQA": 14_083,
    "all others": 120_600,
}

# pass@1 in percent; AIME2024 over 16 samples a question, the others over 4.
BENCHMARKS = ["AIME2024", "MATH-500", "GPQA-Diamond", "LiveCodeBench"]
SCORES = {
    "DeepSeek-R1-Distill-Qwen-32B": [72.6, 94.3, 62.1, 57.2],
    "AM-Distill-Qwen-32B": [72.7, 96.2, 64.3, 59.1],
    "DeepSeek-R1-Distill-Llama-70B": [70.0, 94.5, 65.2, 57.5],
    "AM-Distill-Qwen-72B": [76.5, 97.0, 65.9, 59.7],
}
