"""From the rows of a data set in its own form to canonical columns: one small function a form.

What the columns of a published data set mean belongs here, and nothing else: which rows are wanted belongs to
`origins.py`, how files are read to `engines/`, what becomes of rows to `pool/` and `evaluation/`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from am_assets.datasets.locate import SourceError
from am_assets.datasets.reader import Column

VERSION = "1"  # raise when an adapter reads a row otherwise
# What an adapter or a generator may give, all text; what it leaves out is null.
PARTS = ["question", "reference_answer", "test_code", "test_entry_point", "constraints", "response", "teacher"]


@dataclass(frozen=True)
class Adapter:
    """`columns`: what is read of the file, by the name `parts` knows it. `parts`: (frame, file) to columns of PARTS."""

    columns: dict[str, Column]
    parts: Callable[[pl.DataFrame, str], pl.DataFrame]


def demand(frame: pl.DataFrame, file: str, holds: pl.Expr, says: str) -> None:
    wrong = frame.filter(~holds.fill_null(False))
    if not wrong.is_empty():
        raise SourceError(f"{file}:{wrong['line'][0]}: {says}")


def or_null(name: str) -> pl.Expr:
    """The column with blank text as null."""
    return pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)).alias(name)


def _am(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    roles = pl.concat_str("first_role", "second_role", separator=" ") == "user assistant"
    demand(frame, file, roles & pl.col("third").is_null(), "messages: expected one user and one assistant message")
    tests = [_am_tests(value, f"{file}:{line}") for line, value in frame.select("line", "test_case").iter_rows()]
    codes = [
        pl.Series("test_code", [code for code, _ in tests], dtype=pl.String),
        pl.Series("test_entry_point", [entry for _, entry in tests], dtype=pl.String),
    ]
    return frame.with_columns(codes)


def _am_tests(test_case: str | None, where: str) -> tuple[str | None, str | None]:
    """Code and entry point. The published rows hold a struct, the same as JSON text, bare test code, or null."""
    if test_case is None or not test_case.strip():
        return None, None
    try:
        tests = json.loads(test_case)
    except ValueError:
        return test_case, None
    code, entry = (tests.get("test_code"), tests.get("test_entry_point")) if isinstance(tests, dict) else (None, None)
    if not isinstance(code, str) or not isinstance(entry, str | None):
        raise SourceError(f"{where}: test_case: expected test_code (text) and test_entry_point (text or null)")
    return code, entry


def _gsm8k(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    reference = pl.col("answer").str.extract(r"####\s*(\S.*?)\s*$").str.replace_all(",", "")
    demand(frame, file, reference.is_not_null(), "answer: no result after ####")
    return frame.select("question", reference.alias("reference_answer"))


def _math(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    boxed = {name: [last_boxed(text or "") for text in frame[name]] for name in ["answer", "solution"]}
    unboxed = [pl.Series(f"{name}_boxed", values, dtype=pl.String) for name, values in boxed.items()]
    reference = pl.coalesce("answer_boxed", or_null("answer"), "solution_boxed")
    return frame.with_columns(unboxed).select("question", reference.alias("reference_answer"))


def last_boxed(text: str) -> str | None:
    r"""The content of the last `\boxed{...}`, braces balanced; None where there is none or it does not close."""
    _, found, rest = text.rpartition("\\boxed{")
    depth = 1
    for position, char in enumerate(rest if found else ""):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return rest[:position].strip()
    return None


def _mbpp(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    tests = pl.col("test_list").list.join("\n")
    demand(frame, file, tests.str.len_chars() > 0, "test_list: no tests")
    shown = pl.concat_str("question", pl.lit("\n\nYour code should pass these tests:\n"), tests)
    setup = pl.col("setup").fill_null("")
    code = pl.when(setup.str.strip_chars() == "").then(tests).otherwise(pl.concat_str(setup, pl.lit("\n"), tests))
    return frame.select(shown.alias("question"), code.alias("test_code"))


def _humaneval(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    demand(frame, file, pl.col("entry_point").str.contains(r"^[A-Za-z_]\w*$"), "entry_point: not a function name")
    code = pl.format("{}\n\ncheck({})\n", "test", "entry_point")
    return frame.select("question", code.alias("test_code"), pl.col("entry_point").alias("test_entry_point"))


def _ifeval(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    def side_by_side(names: list[str] | None, settings: str | None) -> list[dict]:
        pairs = zip(names or [], json.loads(settings or "[]"), strict=True)
        return [{"id": name, "kwargs": kwargs} for name, kwargs in pairs]

    return _with_constraints(frame, file, side_by_side, "instruction_id_list", "kwargs")


def _jsonl(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    answers = pl.col("reference_answer").list.unique(maintain_order=True)
    answers = answers.list.filter(pl.element().str.strip_chars() != "")
    several = pl.struct(any_of=answers).struct.json_encode()
    frame = frame.with_columns(
        reference_answer=pl.when(answers.list.len() > 1).then(several).otherwise(answers.list.first())
    )
    return _with_constraints(frame, file, lambda text: json.loads(text or "[]"), "constraints")


def _with_constraints(frame: pl.DataFrame, file: str, read: Callable[..., list], *columns: str) -> pl.DataFrame:
    """`frame` with the constraints that `read` makes of the columns, in one spelling; null where there are none.

    Settings that are null are left out: in Parquet each constraint's hold those of all others too.
    """
    spelled = []
    for line, *values in frame.select("line", *columns).iter_rows():
        try:
            asked = [
                {"id": str(one["id"]), "kwargs": {k: v for k, v in (one.get("kwargs") or {}).items() if v is not None}}
                for one in read(*values)
            ]
        except (ValueError, TypeError, KeyError, AttributeError):
            raise SourceError(
                f"{file}:{line}: {' and '.join(columns)}: expected constraints, each with its id and its settings"
            ) from None
        spelled.append(json.dumps(asked, sort_keys=True, ensure_ascii=False) if asked else None)
    return frame.with_columns(pl.Series("constraints", spelled, dtype=pl.String))


def _columns(required: str, *optional: str, **paths: Column) -> dict[str, Column]:
    return {"question": Column(required, required=True)} | {name: Column(name) for name in optional} | paths


ADAPTERS = {
    "am": Adapter(
        _columns(
            "messages.0.content",
            reference_answer=Column("messages.0.info.reference_answer", "scalar"),
            test_case=Column("messages.0.info.test_case", "json"),
            response=Column("messages.1.content", required=True),
            teacher=Column("messages.1.info.source"),
            first_role=Column("messages.0.role", required=True),
            second_role=Column("messages.1.role", required=True),
            third=Column("messages.2", "json"),
        ),
        _am,
    ),
    "gsm8k": Adapter(_columns("question", answer=Column("answer", required=True)), _gsm8k),
    "math": Adapter(_columns("problem", "solution", answer=Column("answer", "scalar", unless="solution")), _math),
    "mbpp": Adapter(
        _columns("text", test_list=Column("test_list", "texts", required=True), setup=Column("test_setup_code")), _mbpp
    ),
    "humaneval": Adapter(
        _columns("prompt", test=Column("test", required=True), entry_point=Column("entry_point", required=True)),
        _humaneval,
    ),
    "ifeval": Adapter(
        _columns(
            "prompt",
            *("response", "teacher"),
            instruction_id_list=Column("instruction_id_list", "texts", required=True),
            kwargs=Column("kwargs", "json", required=True),
        ),
        _ifeval,
    ),
    "jsonl": Adapter(
        _columns(
            "question",
            *("test_code", "test_entry_point", "response", "teacher"),
            reference_answer=Column("reference_answer", "scalars"),
            constraints=Column("constraints", "json"),
        ),
        _jsonl,
    ),
}
