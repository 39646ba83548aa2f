"""GPQA: a question, its correct answer and three incorrect ones, which become options in an order of their own."""

from hashlib import sha256

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, fields, with_parts

CORRECT, *INCORRECT = COLUMNS = ["Correct Answer", *(f"Incorrect Answer {number}" for number in (1, 2, 3))]
LETTERS = "ABCD"


def read(row: Row) -> Item:
    """The order is drawn from the hash of question and option, so that it is the same in every file."""
    question = (row.text("question") or "").strip()
    options = {name: (row.text(name) or "").strip() for name in COLUMNS}
    if empty := [name for name, option in options.items() if not option]:
        raise Fault(f"field `{empty[0]}`: an empty option")
    order = sorted(options, key=lambda name: sha256(f"{question}\n{options[name]}".encode()).hexdigest())
    shown = "\n".join(f"{letter}) {options[name]}" for letter, name in zip(LETTERS, order, strict=True))
    return Item(with_parts(question, shown), reference_answer=LETTERS[order.index(CORRECT)])


ADAPTER = Adapter(
    fields("Question", **{name: Field(name, required=True) for name in COLUMNS}),
    read,
    version="2",
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
