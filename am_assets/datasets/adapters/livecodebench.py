"""LiveCodeBench: a task, its public tests as JSON text, and its private ones as JSON text or packed."""

import base64
import json
import pickletools
import zlib
from typing import Any

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Parts, Row, fields, with_starter
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import parsed

MOST_BYTES = 500_000_000  # unpacked
OF_TEXT = {"PROTO", "FRAME", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "PUT", "BINPUT", "LONG_BINPUT",
           "MEMOIZE", "STOP"}  # fmt: skip


def read(row: Row) -> Item:
    tests = [*row.of("public_test_cases", _listed), *row.of("private_test_cases", _private)]
    asked, starter = row.text("question"), row.text("starter_code")
    metadata = parsed(row.get("metadata"))
    function = metadata.get("func_name") if isinstance(metadata, dict) else None
    return Item(
        with_starter(asked, starter),
        test_cases=row.of("public_test_cases", lambda _: canonical(tests, function)),
        parts=Parts(asked or "", starter=starter) if starter else None,
    )


def _listed(tests: Any) -> list[Any]:
    found = parsed(tests)
    if found and not isinstance(found, list):
        raise Fault("expected a list of tests")
    return found or []


def _private(packed: Any) -> list[Any]:
    """The private tests: a list as JSON text, or that text pickled, packed by zlib and in base64."""
    found = parsed(packed)
    if isinstance(found, str) and found.strip():
        try:
            unpacker = zlib.decompressobj()
            content = unpacker.decompress(base64.b64decode(found, validate=True), MOST_BYTES)
            if unpacker.unconsumed_tail:
                raise Fault("more than can be unpacked")
            found = json.loads(_text(content))
        except (zlib.error, ValueError, RecursionError) as error:
            raise Fault(f"can't be unpacked ({type(error).__name__})") from None
    return _listed(found)


def _text(pickled: bytes) -> str:
    """The text that was pickled, which is read and not run: opcodes that make anything else, or ask for memory beyond
    what is there, are refused."""
    steps = [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(pickled)]
    texts = [argument for _, argument in steps if isinstance(argument, str)]
    if len(texts) != 1 or not {name for name, _ in steps} <= OF_TEXT:
        raise ValueError("no text")
    return texts[0]


ADAPTER = Adapter(
    fields(
        "question_content",
        *("starter_code", "metadata", "private_test_cases"),
        public_test_cases=Field("public_test_cases", required=True),
    ),
    read,
    version="3",
    doc="[LiveCodeBench](https://huggingface.co/datasets/livecodebench/code_generation_lite); packed tests are read"
    " without running what a pickle may hold",
    signature=("question_content", "public_test_cases"),
    example={
        "question_title": "Sum",
        "question_content": "Read two numbers, print their sum.",
        "platform": "atcoder",
        "starter_code": "",
        "public_test_cases": '[{"input": "1 2\\n", "output": "3\\n", "testtype": "stdin"}]',
        "private_test_cases": '[{"input": "5 6\\n", "output": "11\\n", "testtype": "stdin"}]',
        "metadata": "{}",
    },
)
