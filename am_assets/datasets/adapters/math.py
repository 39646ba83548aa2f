r"""MATH and benchmarks of its form (MATH-500, AIME): a problem with its answer, or a solution that boxes it."""

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, boxed, boxed_reference, fields

NONE = {"", "notfound", "not found", "none", "null", "nan", "n/a", "unknown"}  # answers of NuminaMath that are none
PROOF = "proof"  # its problems that have no answer to be checked


def read(row: Row) -> Item:
    answer, solution = (row.scalar("answer") or "").strip(), row.text("solution") or ""
    if not (row.has("answer") or row.has("solution")):
        raise Fault("no field `answer`, and no `solution`")
    if answer.lower() == PROOF:
        return Item(row.text("question"))
    if answer.lower() not in NONE:
        boxes = boxed(answer)
        return Item(row.text("question"), boxes[-1] if boxes else answer)
    reference, notes = boxed_reference(solution)
    return Item(row.text("question"), reference, notes=notes)


ADAPTER = Adapter(
    fields("problem", "solution", answer=Field("answer")),
    read,
    version="2",
    doc=r"MATH, MATH-500, AIME, NuminaMath; the reference is the answer, or what the solution boxes last",
    signature=("problem", "solution|answer"),
    example={"problem": "Compute 17+25.", "level": "Level 1", "type": "Algebra", "solution": "So it is $\\boxed{42}$."},
)
