"""What the code takes of Dagster beyond its public API: all in one module, each name with the feature that needs it."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INTERNALS = ROOT / "am_assets" / "orchestration" / "dagster_internals.py"
TREE = ast.parse(INTERNALS.read_text())
PRIVATE = [(node.module, name.name) for node in TREE.body if isinstance(node, ast.ImportFrom) for name in node.names]
FEATURES = dict(
    line.split(maxsplit=1) for line in (ast.get_docstring(TREE) or "").splitlines() if line.startswith("    ")
)
# Members that a subclass of ours overrides or calls.
MEMBERS = {
    "UPathIOManager._get_paths_for_partitions": "table store: the files behind an input",
    "DagsterSqliteStorage._run_storage": "am: run records over an open connection",
    "DagsterSqliteStorage._event_log_storage": "am: event log over open connections",
    "SqliteEventLogStorage._connect": "am: event log over open connections",
    "SqliteEventLogStorage._initdb": "am: the empty log of a new run",
    "SqliteEventLogStorage.path_for_shard": "am: the file of a run's log",
    "SqliteRunStorage.connect": "am: run records over an open connection",
    "DagsterInstance.local_temp": "am: the instance of a folder with another storage class",
    "Definitions.resolve_implicit_global_asset_job_def": "apply: one partition in this process",
    "Definitions.resolve_asset_graph": "planning: what lies above a partition",
    "controller.DEFAULT_DAEMON_INTERVAL_SECONDS": "daemon: how often it looks after backfills",
    "dev.dev_command": "make ui: the command",
    "dev.open_ipc_subprocess": "make ui: the daemon that looks after backfills often",
}


@pytest.mark.parametrize(("module", "name"), PRIVATE, ids=[name for _, name in PRIVATE])
def test_dagster_has_the_name_that_a_feature_needs(module: str, name: str) -> None:
    assert hasattr(import_module(module), name), f"Dagster has no {module}.{name} any more: {FEATURES[name]} breaks"


@pytest.mark.parametrize("member", MEMBERS)
def test_dagster_has_the_member_that_a_feature_needs(member: str) -> None:
    import dagster as dg

    from am_assets.orchestration import dagster_internals

    owner, _, name = member.partition(".")
    found = getattr(dagster_internals, owner, None) or getattr(dg, owner)
    assert hasattr(found, name) or name in found.__init__.__code__.co_names, f"{MEMBERS[member]} breaks"


def test_the_code_server_starts_runs_where_ours_are_put_into_their_place() -> None:
    """Else they would start as slowly as Dagster's own, and nothing would say so."""
    from dagster._grpc.server import DagsterApiServer

    names = DagsterApiServer.__init__.__code__
    assert "get_context" in names.co_names and "spawn" in names.co_consts


def test_every_name_says_which_feature_needs_it() -> None:
    assert FEATURES.keys() == {name for _, name in PRIVATE}
    assert all(": " in feature for feature in FEATURES.values())


def test_what_became_public_is_taken_from_the_public_api() -> None:
    import dagster as dg

    assert [name for _, name in PRIVATE if hasattr(dg, name)] == []


def test_no_other_module_imports_what_is_private_of_dagster() -> None:
    importing = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "am_assets").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for module in _modules(node)
        if module.startswith("dagster._")
    }
    assert importing == {INTERNALS.relative_to(ROOT).as_posix()}


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [name.name for name in node.names] if isinstance(node, ast.Import) else []
