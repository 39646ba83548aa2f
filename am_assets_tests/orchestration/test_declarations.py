"""What a table's body reads of the project is what its declaration names: anything else fails the run."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import dagster as dg
import polars as pl
import pytest

from am_assets.orchestration import tables
from am_assets.orchestration.assets import GRAPH, evaluation
from am_assets.orchestration.declarations import Declared, Reads, Undeclared
from am_assets.orchestration.entries import (
    benchmark_entry,
    earlier_shards,
    recipes_that_select,
    section_entry,
    source_entry,
)
from am_assets.orchestration.partitions import Partitions
from am_assets.orchestration.resources import TableStore
from am_assets.project import Project, load_project
from am_assets_tests.desk import Desk

PARTITION = {"shards": "sums", "benchmarks": "held_out", "recipes": "plain"}
NAME = {"shards": "raw_pool", "benchmarks": "benchmark_questions", "recipes": "deduped_set"}
Body = Callable[[Declared], Any]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Project:
    desk = Desk(tmp_path_factory.mktemp("project"))
    desk.write_project("http://127.0.0.1:1/v1")
    return load_project(desk.folder, desk.folder / "sources.yaml")


def materialize(project: Project, by: str, reads: Reads, body: Body) -> BaseException | None:
    """A run of a table whose body is `body`; its error, if it fails."""

    @tables.evidence("pool", by, name=NAME[by], reads=reads)
    def table(here: Declared) -> pl.DataFrame:
        body(here)
        return tables.empty(NAME[by])

    made = dg.materialize(
        [table.asset(project, Partitions(project))],
        partition_key=PARTITION[by],
        resources={"tables": TableStore(project.assets)},
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )
    if made.success:
        return None
    (failed,) = made.filter_events(lambda event: event.is_step_failure)
    error = failed.step_failure_data.error
    while error.cause:
        error = error.cause
    return Undeclared(error.message) if error.cls_name == "Undeclared" else RuntimeError(error.to_string())


# By what is read: table, declaration that allows it, declarations that do not, body, words of the error.
CASES: dict[str, tuple[str, Reads, list[Reads], Body, str]] = {
    "a section of the instruments": (
        "shards",
        Reads(instruments=("labels",)),
        [Reads(), Reads(instruments=("math",)), Reads(facts=("shards", "ranks"), entry=source_entry)],
        lambda here: here.instruments.labels.model,
        "instruments.labels",
    ),
    "a field of a section that is declared in part": (
        "shards",
        Reads(instruments=("math.timeout_seconds", "math.opinion")),
        [Reads(instruments=("math.timeout_seconds",))],
        lambda here: here.instruments.math.opinion,
        "instruments.math.opinion",
    ),
    "all fields of a section that is declared in part": (
        "shards",
        Reads(instruments=("math",)),
        [Reads(instruments=("math.timeout_seconds",))],
        lambda here: [getattr(here.instruments.math, name) for name in ("timeout_seconds", "opinion")],
        "instruments.math.opinion",
    ),
    "the shards": (
        "shards",
        Reads(facts=("shards",)),
        [Reads(), Reads(facts=("ranks",)), Reads(entry=source_entry)],
        lambda here: here.shards,
        "shards",
    ),
    "the shards before one": (
        "shards",
        Reads(entry=earlier_shards),
        [Reads(entry=recipes_that_select)],
        lambda here: here.shards,
        "shards",
    ),
    "the ranks": (
        "recipes",
        Reads(facts=("ranks",)),
        [Reads(), Reads(facts=("shards",)), Reads(entry=section_entry("dedup"))],
        lambda here: here.ranks,
        "ranks",
    ),
    "a source": (
        "shards",
        Reads(entry=source_entry),
        [Reads(), Reads(facts=("shards", "ranks")), Reads(entry=earlier_shards)],
        lambda here: here.source("sums"),
        "source",
    ),
    "a benchmark": (
        "benchmarks",
        Reads(entry=benchmark_entry),
        [Reads(), Reads(facts=("shards", "ranks"))],
        lambda here: here.benchmark("held_out"),
        "benchmark",
    ),
}
REFUSED = [(what, reads) for what, case in CASES.items() for reads in case[2]]


@pytest.mark.parametrize(("what", "reads"), REFUSED, ids=[what for what, _ in REFUSED])
def test_a_body_that_reads_what_it_did_not_declare_fails_by_name(here: Project, what: str, reads: Reads) -> None:
    by, _, _, body, part = CASES[what]
    error = materialize(here, by, reads, body)
    assert isinstance(error, Undeclared), error
    assert f"{NAME[by]} reads {part} of the project, which its declaration does not name" in str(error)


@pytest.mark.parametrize("what", CASES)
def test_a_body_reads_what_it_declared(here: Project, what: str) -> None:
    by, reads, _, body, _ = CASES[what]
    assert materialize(here, by, reads, body) is None


def test_the_rest_of_the_project_is_not_there_for_a_body(here: Project) -> None:
    hidden = {"recipes", "recipe", "recipe_names", "sources", "benchmarks", "endpoints", "sources_file", "instance"}
    assert hidden & {name for name in dir(Declared) if not name.startswith("_")} == set()
    assert hidden <= {*dir(here), *Project.__dataclass_fields__}


def test_folders_and_endpoints_are_open_to_every_body(here: Project) -> None:
    def body(open_to_all: Declared) -> None:
        assert open_to_all.assets == here.assets and open_to_all.endpoints_of("any")

    assert materialize(here, "shards", Reads(), body) is None


@pytest.mark.parametrize("table", [table for table in GRAPH if table.reads.instruments], ids=lambda table: table.name)
def test_every_declared_section_of_the_instruments_is_read(table: tables.Table) -> None:
    """By the body or by a function of its module that the body calls: a section that is not would make the table stale
    for nothing."""
    declared = {path.partition(".")[0] for path in table.reads.instruments}
    assert declared == _sections(table.fn, set())


def _sections(fn: Callable, seen: set[str]) -> set[str]:
    """The sections that a function names as `instruments.<section>`, or takes from the verifiers that it is for."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(fn)))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "here.instruments":
            found.add(node.attr)
        if isinstance(node, ast.Call) and ast.unparse(node) == "getattr(here.instruments, verifier.section)":
            its = inspect.getclosurevars(fn).nonlocals.get("verifier")
            found |= {verifier.section for verifier in ([its] if its else evaluation.OF_ITEMS)}
        called = inspect.unwrap(fn).__globals__.get(node.id) if isinstance(node, ast.Name) else None
        if inspect.isfunction(called) and called.__module__ == fn.__module__ and called.__name__ not in seen:
            found |= _sections(called, seen | {called.__name__})
    return found
