"""What documents and comments name is there: files, folders, modules and what a module holds."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob(".github/**/*.md")]
CODE = [*(ROOT / "am_assets").rglob("*.py"), *(ROOT / "am_assets").rglob("*.sh"), ROOT / "Makefile"]
# The one tells of what is no more, the other of files of the projects that tests edit.
TEXTS = [path for path in [*DOCUMENTS, *CODE] if path.name not in ("CHANGELOG.md", "fields.md")]
HOMES = [ROOT, ROOT / "am_assets", ROOT / "am_assets_tests", ROOT / "data"]

QUOTED = re.compile(r"`([\w.*/-][\w.*<>/-]*)`")
FILE = re.compile(r"\.(py|sh|md|css|html|png|toml|yaml)$")
ROOTED = re.compile(r"(?<![\w./-])(?:am_assets|am_assets_tests|docs|bin|\.ci)/[\w./*-]*\w")
LINK = re.compile(r"\]\(([^):#]+)(?:#[^)]*)?\)")
MODULE = re.compile(r"(?:`|-m )(am_assets(?:_tests)?(?:\.\w+)+)")
BENCHES = re.compile(r"am_assets_tests\.bench\.<\w+>.*?(?:\n\n|\Z)", re.DOTALL)

# They appear when a project is worked on: what git ignores, and files that a user may add.
MADE = {line.strip("*/") for line in (ROOT / ".gitignore").read_text().split()}
OPTIONAL = {
    "alerts.yaml",
    "data/alerts.yaml",
    "cluster.yaml",
    "data/cluster.yaml",
    "revisions.yaml",
    "data/marks.jsonl",
    "marks.jsonl",
}
# Beginnings of model names.
PREFIXES = {"hf/", "embedded/"}


def absent(file: Path, text: str) -> Iterator[str]:
    """What `text`, which stands in `file`, names and is not there."""
    for named in QUOTED.findall(text):
        if not (_there(named, file) if _is_path(named, file) else _holds(named, file)):
            yield named
    for named in ROOTED.findall(text):
        if not _made(named) and not any(ROOT.glob(named)):
            yield named
    for named in LINK.findall(text) if file.suffix == ".md" else ():
        if not (file.parent / named).exists():
            yield named
    for named in MODULE.findall(text):
        if not _module(ROOT, named.split(".")):
            yield named
    for paragraph in BENCHES.findall(text) if file.suffix == ".md" else ():
        for named in re.findall(r"`(\w+)`", paragraph):
            if not (ROOT / "am_assets_tests" / "bench" / f"{named}.py").exists():
                yield named


def _is_path(named: str, file: Path) -> bool:
    """A file by its ending, a folder by its slash at the end, or what lies in a folder that is there."""
    if named in PREFIXES | OPTIONAL or _made(named):
        return False
    folder = named.partition("/")[0]
    return bool(FILE.search(named) or named.endswith("/") or ("/" in named and _there(folder, file)))


def _made(named: str) -> bool:
    return any(f"/{made}/" in f"/{named}/" for made in MADE)


def _there(named: str, file: Path) -> bool:
    """From the file's own folder, one above it, or a home of many; `<name>` stands for any."""
    pattern = re.sub(r"<\w+>", "*", named).rstrip("/")
    folders = [folder for folder in file.parents if folder.is_relative_to(ROOT)]
    return not pattern.startswith("/") and any(any(folder.glob(pattern)) for folder in [*folders, *HOMES])


def _holds(named: str, file: Path) -> bool:
    """Of `module.name`, where the module lies beside the file: whether it holds the name. True of all else."""
    module, *names = named.split(".")
    beside = file.parent / f"{module}.py"
    return FILE.search(named) is not None or not beside.exists() or _named_in(beside, names)


def _module(folder: Path, parts: list[str]) -> bool:
    part, *rest = parts
    if (inner := folder / part).is_dir():
        return not rest or _module(inner, rest) or _named_in(inner / "__init__.py", rest)
    return _named_in(folder / f"{part}.py", rest)


def _named_in(file: Path, names: list[str]) -> bool:
    return file.exists() and all(re.search(rf"\b{name}\b", file.read_text()) for name in names)


def test_every_file_and_module_that_is_named_is_there() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {named}"
        for path in TEXTS
        for line, paragraph in _paragraphs(path.read_text())
        for named in absent(path, paragraph)
    ]
    assert not faults, "\n".join(["named from that line on, but not there:", *faults])


def _paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Each with the number of its first line."""
    line = 1
    for paragraph in re.split(r"(?<=\n\n)", text):
        yield line, paragraph
        line += paragraph.count("\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("`am_assets/project.py`", "`am_assets/projects.py`"),
        ("`project.py`", "`projects.py`"),
        ("`storage/memo.py`", "`engines/memo.py`"),
        ("`engines/sandbox`", "`engines/sandpit`"),
        ("`docs/`", "`dogs/`"),
        ("`data/memo/<namespace>/`", "`data/mammoth/<namespace>/`"),
        ("`data/recipes/*.yaml`", "`data/receipts/*.yaml`"),
        ("as docs/operations.md says", "as docs/operation.md says"),
        ("[here](docs/operations.md#alerts)", "[here](operations.md)"),
        ("`am_assets.definitions`", "`am_assets.definition`"),
        ("`am_assets.storage.stored.StoredTables`", "`am_assets.storage.stored.StoredTable`"),
        ("`python -m am_assets_tests.bench.memory`", "`python -m am_assets_tests.bench.memories`"),
        ("`am_assets_tests.bench.<name>`: `memory`", "`am_assets_tests.bench.<name>`: `memories`"),
        ("`python -m am_assets.orchestration.instance`", "`python -m am_assets.instances`"),
        ("the share `category/difficulty`, `teacher.model`, `hf/`", "`am_assets/`, `am_asset/`"),
    ],
)
def test_right_names_pass_and_their_neighbours_do_not(right: str, wrong: str) -> None:
    assert not list(absent(ROOT / "README.md", right))
    assert list(absent(ROOT / "README.md", wrong))


def test_in_code_a_file_is_named_from_its_own_folder_or_one_above() -> None:
    beside = ROOT / "am_assets" / "storage" / "memo.py"
    assert not list(absent(beside, "see `segments.py`, `segments.listed`, `stored.py` and `engines/llm/money.py`"))
    assert list(absent(beside, "`money.py`")) == ["money.py"]
    assert list(absent(beside, "`segments.found_nowhere`")) == ["segments.found_nowhere"]
