"""MathInstruct: an instruction, and a solution in words or as a program."""

from am_assets.datasets.adapters.base import Said, of_columns
from am_assets.datasets.adapters.metamath import with_reference

COLUMNS = of_columns(
    "instruction",
    Said("output"),
    version="1",
    doc="[MathInstruct](https://huggingface.co/datasets/TIGER-Lab/MathInstruct); the reference is what follows `The"
    " answer is`, the entry names the `teacher`",
    signature=("instruction", "output", "source"),
    example={"source": "ours", "instruction": "Compute 17+25.", "output": "17 + 25 = 42. The answer is 42"},
)
ADAPTER = with_reference(COLUMNS)
