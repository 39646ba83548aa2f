"""OpenThoughts-114k, `metadata`: thinking and answer of DeepSeek-R1, tests of code, solutions of mathematics."""

from dataclasses import replace

from am_assets.datasets.adapters.base import Field, Item, Row, Said, boxed_reference, of_columns, with_starter

COLUMNS = of_columns(
    "problem",
    Said("deepseek_solution", thinking="deepseek_reasoning", teacher="deepseek-r1"),
    tests="test_cases",
    version="2",
    doc="[OpenThoughts-114k](https://huggingface.co/datasets/open-thoughts/OpenThoughts-114k), `metadata`; the"
    " reference is what the solution boxes, and questions of code show what is to be completed",
    signature=("problem", "deepseek_reasoning", "deepseek_solution"),
    example={
        "problem": "Compute 17+25.",
        "deepseek_reasoning": "17+25=42.",
        "deepseek_solution": "The sum is \\boxed{42}.",
        "ground_truth_solution": "17+25 is $\\boxed{42}$.",
        "domain": "math",
        "source": "ours",
        "test_cases": None,
        "starter_code": None,
    },
)


def read(row: Row) -> Item:
    item = COLUMNS.read(row)
    reference, notes = boxed_reference(row.text("solution") or "") if item.test_cases is None else (None, ())
    asked = with_starter(item.question, row.text("starter_code"))
    return replace(item, question=asked, reference_answer=reference, notes=notes)


ADAPTER = replace(
    COLUMNS,
    fields=COLUMNS.fields | {"solution": Field("ground_truth_solution"), "starter_code": Field("starter_code")},
    read=read,
)
