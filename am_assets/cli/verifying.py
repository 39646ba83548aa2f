"""`am verify`: verdicts of the rows of any file, one line of JSON each. It needs no project, no Dagster and no GPU."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from am_assets.cli import app
from am_assets.config.alike import alike
from am_assets.config.files import ConfigError
from am_assets.config.vocabulary import VERDICTS
from am_assets.runtime.wording import counted

LIKELY = 3  # reasons shown of each verdict


@app.command()
def verify(
    file: Annotated[str, typer.Argument(help="A file in any format that `am read` reads, or - for lines of JSON.")],
    column: Annotated[list[str] | None, typer.Option(help="A path, as in reference=gold.answer; may repeat.")] = None,
    math_only: Annotated[bool, typer.Option("--math-only", help="Compare with references; run no program.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that verify; 0: one a CPU.")] = 0,
    recipe: Annotated[
        str | None, typer.Option("--recipe", "-r", help="A recipe of the project, whose rules and limits count.")
    ] = None,
) -> None:
    """Say of each row whether its answer (or response) is right by its reference, test_cases or constraints."""
    try:
        count, began = Counter[tuple[str, str]](), time.monotonic()
        for told in _verdicts(file, column or [], math_only, workers, recipe):
            sys.stdout.write("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in told))
            sys.stdout.flush()
            count.update((one["verdict"], one["reason"]) for one in told)
    except ConfigError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
    except BrokenPipeError:  # whoever reads has seen enough
        sys.stdout = None  # or the interpreter would flush into it once more
        return
    typer.echo(_summary(count, time.monotonic() - began), err=True)


def _verdicts(
    file: str, column: list[str], math_only: bool, count: int, recipe: str | None
) -> Iterator[list[dict[str, Any]]]:
    """The verdicts of `planning/verify.py`, with workers that start once. `ConfigError` for what is named wrongly."""
    import logging

    from am_assets.datasets.records import read_records, record_of
    from am_assets.planning.verify import FIELDS, Settings, verdicts
    from am_assets.project import project
    from am_assets.runtime import kept, workers
    from am_assets.verification.verifiers import VERIFIERS

    paths = dict(one.partition("=")[::2] for one in column)
    for name, path in paths.items():
        if name not in FIELDS or not path:
            raise ConfigError(
                f"--column {name}={path}: expected a path after one of {', '.join(FIELDS)}, as id=meta.id"
                + alike(name, FIELDS)
            )
    settings = Settings(paths, only=("math",) if math_only else tuple(VERIFIERS))
    if recipe is not None:
        policy, instruments = project().recipe(recipe).verification, project().instruments
        limits = {one.section: getattr(instruments, one.section) for one in VERIFIERS.values()}
        settings = Settings(paths, limits, policy, settings.only)
    lines = enumerate(sys.stdin.buffer, start=1)
    records = (
        ((line, record_of(raw)) for line, raw in lines if raw.strip()) if file == "-" else read_records(_there(file))
    )
    workers.count = count or os.cpu_count()
    logging.disable()  # a sandbox that can't be opened is told with the rows that need it
    with kept.keep_open():
        yield from verdicts(records, settings)


def _there(file: str) -> Path:
    if not Path(file).is_file():
        raise ConfigError(f"{file}: no such file; rows from a pipe are read by -")
    return Path(file)


def _summary(count: Counter[tuple[str, str]], seconds: float) -> str:
    """One line for each verdict with its commonest reasons, and the speed."""
    lines = []
    for verdict in VERDICTS:
        reasons = Counter({reason: n for (one, reason), n in count.items() if one == verdict})
        told = "; ".join(f"{reason}: {n:,}" for reason, n in reasons.most_common(LIKELY))
        lines.append(f"{verdict:<13}{reasons.total():>10,}  {told}")
    return "\n".join(
        [*lines, f"{counted(count.total(), 'row')} in {seconds:.1f} s, {count.total() / seconds:,.0f} rows/s"]
    )
