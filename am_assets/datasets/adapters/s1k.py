"""s1K-1.1: thinking and attempt of DeepSeek-R1 and of Gemini, each in columns of its own."""

from dataclasses import replace

from am_assets.datasets.adapters.base import Adapter, Item, Row, Said, boxed_reference, of_columns

SHORT = 60  # characters of a solution that is the answer alone
COLUMNS = of_columns(
    "question",
    Said("deepseek_attempt", thinking="deepseek_thinking_trajectory", teacher="deepseek-r1"),
    Said("gemini_attempt", thinking="gemini_thinking_trajectory", teacher="gemini-2.0-flash-thinking"),
    reference="solution",
    version="1",
    doc="[s1K-1.1](https://huggingface.co/datasets/simplescaling/s1K-1.1): up to two responses a question; the"
    " reference is what the solution boxes, or a short solution",
    signature=("question", "solution", "deepseek_thinking_trajectory", "deepseek_attempt"),
    example={
        "question": "Compute 17+25.",
        "solution": "42",
        "cot_type": "math",
        "deepseek_thinking_trajectory": "17+25=42.",
        "deepseek_attempt": "The sum is \\boxed{42}.",
        "gemini_thinking_trajectory": "17+25=41.",
        "gemini_attempt": "The sum is \\boxed{41}.",
    },
)


def with_reference(columns: Adapter) -> Adapter:
    """The adapter, with the reference of a solution that is the answer alone or a text that boxes it."""

    def read(row: Row) -> Item:
        solution = (row.text("reference_answer") or "").strip()
        reference, notes = boxed_reference(solution)
        short = solution if len(solution) <= SHORT and "\n" not in solution and not notes else None
        return replace(columns.read(row), reference_answer=reference or short, notes=notes)

    return replace(columns, read=read)


ADAPTER = with_reference(COLUMNS)
