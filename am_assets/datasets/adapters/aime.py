"""AIME 2024 as published with capital letters: a problem and a whole number."""

from am_assets.datasets.adapters.base import of_columns

ADAPTER = of_columns(
    "Problem",
    reference="Answer",
    version="1",
    doc="[AIME_2024](https://huggingface.co/datasets/Maxwell-Jia/AIME_2024); others of AIME are read by `math`",
    signature=("Problem", "Answer"),
    example={"ID": "2024-I-1", "Problem": "Compute 17+25.", "Solution": "…", "Answer": 42},
)
