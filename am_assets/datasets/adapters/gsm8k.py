"""GSM8K: a worked solution that ends in `#### <result>`."""

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, fields

MARK = "####"


def read(row: Row) -> Item:
    _, found, result = (row.text("answer") or "").rpartition(MARK)
    reference = result.strip().replace(",", "").removeprefix("$").strip()
    if not found or not reference:
        raise Fault(f"field `answer`: no result after {MARK}")
    return Item(row.text("question"), reference)


ADAPTER = Adapter(
    fields("question", answer=Field("answer", required=True)),
    read,
    version="2",
    doc="GSM8K; the reference is what follows `####`",
    signature=("question", "answer~####"),
    example={"question": "Compute 17+25.", "answer": "17+25=<<17+25=42>>42\n#### 42"},
)
