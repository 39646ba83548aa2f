"""`am init`: a new project folder over files of one's own, which applies as it is."""

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from am_assets.cli import app
from am_assets.cli.opening import AsJson, exit_with, print_json, say, unwritable
from am_assets.config.files import ConfigError
from am_assets.runtime.quoting import visible
from am_assets.runtime.wording import counted

if TYPE_CHECKING:
    from am_assets.datasets.guessing import Shape
    from am_assets.planning.start import Start


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The folder to write; what is in it already stays as it is.")],
    source: Annotated[
        list[str] | None, typer.Option("--from", help="A file, folder or glob, or a name of `am catalog`; may repeat.")
    ] = None,
    teacher: Annotated[
        str | None, typer.Option(help="The teacher, as litellm spells it; else the embedded one.")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="What labels and judges; else the embedded model.")] = None,
    api_base: Annotated[str | None, typer.Option(help="Where the teacher answers: http://host:port/v1.")] = None,
    adapter: Annotated[str | None, typer.Option(help="The form of the files, instead of what is found.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="A path, as in question=body.ask; may repeat.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a project that `am apply` carries out as it is: sources, a recipe, and what else differs from defaults."""
    try:
        from am_assets.planning.start import Start, files_of, keys_wanted, refuse_existing

        given = {"adapter": adapter, "columns": dict(one.partition("=")[::2] for one in column or [])}
        found, listed = _read(source or [], given)
        start = Start(folder, found, listed, teacher, judge, api_base)
        files = files_of(start) | _schemas()
        refuse_existing(folder, [name for name in files if name != ".gitignore"])
        _check(files, folder)
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text(text, encoding="utf-8")
        keys = keys_wanted(start)
    except ConfigError as error:
        exit_with(str(error))
    except OSError as error:
        exit_with(unwritable(error, folder))
    if as_json:
        shapes = [one.found.to_json() | {"entry": one.entry, "ignored": one.ignored} for one in found]
        print_json({"folder": str(folder), "files": list(files), "shapes": shapes, "keys": keys})
        return
    for shape in found:
        _show(shape)
    _next(start, list(files), keys)


def _read(sources: list[str], given: dict[str, Any]) -> tuple[list["Shape"], list[str]]:
    """The shapes of files and the names of the catalogue among what was named."""
    from am_assets.cli.reading import named
    from am_assets.planning.start import read

    shapes, listed = [], []
    for one in sources:
        if named(one):
            listed.append(one)
        else:
            shapes += read(one, given)
    return shapes, listed


def _schemas() -> dict[str, str]:
    from am_assets.cli.reference.schemas import FOLDER, schemas

    return {f"{FOLDER}/{name}": text for name, text in schemas().items()}


def _check(files: dict[str, str], folder: Path) -> None:
    """`ConfigError` where the files would be no project."""
    from am_assets.project import load_project

    with tempfile.TemporaryDirectory() as aside:
        for name, text in files.items():
            (Path(aside) / name).parent.mkdir(exist_ok=True)
            (Path(aside) / name).write_text(text, encoding="utf-8")
        try:
            load_project(Path(aside), Path(aside) / "sources.yaml").refuse_broken()
        except ConfigError as error:
            raise ConfigError(str(error).replace(aside, str(folder))) from None


def _show(shape: "Shape") -> None:
    """What was found in a file, in a few lines."""
    found = shape.found
    files = ", ".join(path.name for path in found.files[:3]) + (" …" if len(found.files) > 3 else "")
    counts = ", ".join(counted(count, name.removesuffix("s")) for name, count in found.counts.items() if count)
    say(
        f"{files}: {counts}; form {found.told.form}"
        + (f", where {shape.entry['where']}" if "where" in shape.entry else "")
    )
    read = [f"{name} from `{visible(path)}`" for name, path in found.columns.items() if path]
    say(f"  read: {', '.join(read)}")
    if shape.ignored:
        say(f"  not read: {', '.join(map(visible, shape.ignored))}")
    if shape.options:
        say(f"  {visible(shape.options)} are no part of the question: write them into it, or no letter means one")
    for reason, where in found.told.dropped().items():
        say(f"  dropped: {reason}: {where}")
    if found.counts["responses"] and not shape.found.thinks:
        say("  its responses do not think, so that none could be kept: the teacher is asked instead")


def _next(start: "Start", files: list[str], keys: list[str]) -> None:
    from am_assets.config.endpoints import BUNDLED

    own = [name for name in files if not name.startswith(("schemas/", "."))]
    say(f"\nWritten to {start.folder}: {', '.join(own)}")
    if not start.teacher:
        say(f"Teacher: {BUNDLED}, which only exercises the path (--teacher, or the recipe)")
    if not start.judge:
        say(f"Labels and judge: {BUNDLED}, which only exercises the path (--judge, or instruments.yaml)")
    for key in keys:
        say(f"Not set in the environment: {key}")
    say(f"\n  export AM_DATA={shlex.quote(str(start.folder))}")
    say("  am plan                       # what it takes, and what is in the way")
    say('  am apply -s "+sft_dataset"    # the released dataset')
    say("  am view                       # its rows in a browser")
    say("  am apply                      # the rest: a student is trained, the report made")
