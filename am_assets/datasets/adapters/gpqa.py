"""GPQA: a question, its correct answer and three incorrect ones, which become options in an order of their own."""

from hashlib import sha256

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Parts, Row, fields, with_parts
from am_assets.datasets.options import LETTERS, shown

CORRECT, *INCORRECT = COLUMNS = ["Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3))]


def read(row: Row) -> Item:
    """The order is drawn from the hash of question and option, so that it is the same in every file; a benchmark draws
    another for each sample."""
    question = _cleaned(row.text("question"))
    options = {name: _cleaned(row.text(name)) for name in COLUMNS}
    if empty := [name for name, option in options.items() if not option]:
        raise Fault(f"field `{empty[0]}`: an empty option")
    order = sorted(options, key=lambda name: sha256(f"{question}\n{options[name]}".encode()).hexdigest())
    asked = with_parts(question, shown([options[name] for name in order]))
    letter = LETTERS[order.index(CORRECT)]
    return Item(asked, reference_answer=letter, parts=Parts(question, tuple(options.values())))


def _cleaned(text: str | None) -> str:
    """Without what the field takes out before it asks: marks of titles, and blanks that stand twice."""
    return (text or "").strip().replace(" [title]", ". ").replace("  ", " ")


ADAPTER = Adapter(
    fields("Question", **{name: Field(name, required=True) for name in COLUMNS}),
    read,
    version="3",
    doc="[GPQA](https://huggingface.co/datasets/Idavidrein/gpqa); it shows the options, the reference is a letter",
    signature=("Question", CORRECT, INCORRECT[0]),
    example={
        "Record ID": "1",
        "Question": "What is 17+25?",
        "Correct Answer": "42",
        "Incorrect Answer 1": "41",
        "Incorrect Answer 2": "43",
        "Incorrect Answer 3": "52",
        "Subdomain": "Arithmetic",
    },
)
