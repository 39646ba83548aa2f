"""A small project folder, and what a user does at it: edit a file, plan, apply. The model is the embedded one."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from am_assets.engines.serving import Address
from am_assets.storage.copies import of

SUMS = [
    ("What is 12 plus 7?", "19", "<think>12 + 7 = 19.</think> <answer>\\boxed{19}</answer>"),
    ("Ann has 20 pears, eats 6. How many now?", "14", "<think>20 - 6 = 14.</think> <answer>\\boxed{14}</answer>"),
    ("A train with 30 wagons loses 5. How many are left?", "25", "<think>30 - 5 = 25.</think> <answer>25</answer>"),
    ("Three shelves hold 8 books each. How many?", "24", "<think>3 * 8 = 24.</think> <answer>\\boxed{25}</answer>"),
    ("Add forty and two.", "42", "The sum is 42."),
]  # fmt: skip
TASKS = [
    ("Write a Python function `double(n)` that returns twice n.", "assert double(2) == 4\nassert double(-1) == -2",
     "<think>Multiply by two.</think> <answer>```python\ndef double(n):\n    return 2 * n\n```</answer>"),
    ("Write a Python function `first(xs)` that returns the first element of a list.", "assert first([3, 4]) == 3",
     "<think>Index one.</think> <answer>```python\ndef first(xs):\n    return xs[1]\n```</answer>"),
]  # fmt: skip
OPEN = [
    ("Why do leaves turn yellow in autumn?",
     "<think>Chlorophyll goes.</think> <answer>The green pigment breaks down and the yellow one shows.</answer>"),
    ("Plan a quiet Sunday by the sea.", "<think>Keep it slow.</think> <answer>Walk, read, swim, eat late.</answer>"),
]  # fmt: skip
ASKED = [("A boy has 9 marbles and finds 4. How many has he now?", "13")]
HELD_OUT = [("What is 21 plus 11?", "32"), ("Take 8 from 50.", "42")]
MODEL = "openai/smollm2"
FREE = {"input_price": 0, "output_price": 0}
RECIPE = {
    "dedup": {"threshold": 0.95},
    "sampling": {"decontamination": {"benchmarks": ["held_out"], "same_template": False, "cosine": 0.99}},
    "teacher": {"model": MODEL, "max_tokens": 24, "temperature": 0},
    "verification": {"min_reward": 0.5, "min_pass_rate": 0.1},
    "training": {"student": "embedded/smollm2-135m-instruct", "batch_size": 2, "dtype": "float32"},
    "evaluation": {"benchmarks": ["held_out"], "samples": 1, "temperature": 0, "max_tokens": 16},
}  # fmt: skip


class CountingProxy:
    """Stands before the embedded model server and counts what is asked of it."""

    def __init__(self, upstream: Callable[[], Address]):
        self.requests = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                proxy.requests += 1
                body = self.rfile.read(int(self.headers["content-length"]))
                address = upstream()
                headers = {"content-type": "application/json", "authorization": f"Bearer {address.key}"}
                request = Request(address.url + self.path.removeprefix("/v1"), body, headers)
                with urlopen(request) as reply:
                    content = reply.read()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"


class Desk:
    """A project folder and what a user does at it: edit a file, plan, apply."""

    def __init__(self, folder: Path):
        self.folder = folder

    def write_project(self, url: str) -> None:
        folder = self.folder
        for name in ("recipes", "pool", "instance"):
            (folder / name).mkdir()
        (folder / "instance" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        self.rows("sums", [dict(zip(("question", "reference_answer", "response"), row, strict=True)) for row in SUMS])
        self.rows("tasks", [dict(zip(("question", "test_code", "response"), row, strict=True)) for row in TASKS])
        self.rows("open", [dict(zip(("question", "response"), row, strict=True)) for row in OPEN])
        self.rows("asked", [dict(zip(("question", "reference_answer"), row, strict=True)) for row in ASKED])
        self.rows("held_out", [dict(zip(("question", "reference_answer"), row, strict=True)) for row in HELD_OUT])
        self.write(
            "sources.yaml",
            {name: self.source(name, rank) for rank, name in enumerate(("sums", "tasks", "open", "asked"))},
        )
        self.write("benchmarks.yaml", {"held_out": {"location": "pool/held_out.jsonl", "adapter": "jsonl"}})
        self.write(
            "instruments.yaml",
            {"labels": {"model": MODEL}, "reward": {"model": MODEL}, "embeddings": {"model": "static"}},
        )
        self.write_endpoints(url)
        self.recipe("plain", RECIPE)
        self.recipe("other", {"extends": "plain", "verification": {"min_reward": 0.25}})

    def write_endpoints(self, url: str) -> None:
        self.write("endpoints.yaml", {MODEL: {"api_base": url, "api_key_env": "TEST_MODEL_KEY", **FREE}})

    def write(self, name: str, content: dict) -> None:
        (self.folder / name).write_text(yaml.safe_dump(content, sort_keys=False))

    def rows(self, name: str, rows: list[dict]) -> None:
        lines = [json.dumps({"teacher": "tests", **row} if "response" in row else row) for row in rows]
        (self.folder / "pool" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")

    def source(self, name: str, rank: int) -> dict[str, Any]:
        return {"location": f"pool/{name}.jsonl", "adapter": "jsonl", "rank": rank}

    def recipe(self, name: str, content: dict) -> None:
        self.write(f"recipes/{name}.yaml", content)

    def edit(self, recipe: str, section: str, **changes: Any) -> None:
        path = self.folder / "recipes" / f"{recipe}.yaml"
        content = yaml.safe_load(path.read_text())
        content.setdefault(section, {}).update(changes)
        self.recipe(recipe, content)

    def add_source(self, name: str, rows: list[dict]) -> None:
        self.rows(name, rows)
        self.write("sources.yaml", {**self.sources(), name: self.source(name, 9)})

    def sources(self) -> dict[str, dict[str, Any]]:
        return yaml.safe_load((self.folder / "sources.yaml").read_text())

    def instance(self):
        """The instance of the folder over the storage that `am` uses, for a `with`: it is closed at the end."""
        from am_assets.orchestration.sqlite import open_instance

        return open_instance(self.folder / "instance")

    def open(self, recipes: list[str] | None, select: str | None, instance=None):
        """The plan of the folder as it is now, over Dagster's own storage where no other instance is given."""
        import dagster as dg

        from am_assets.definitions import build_definitions
        from am_assets.planning.plan import Plan
        from am_assets.planning.scope import roots, scope
        from am_assets.project import project

        project.cache_clear()
        here = project()
        instance = instance or dg.DagsterInstance.get()
        return Plan(build_definitions(here), instance, roots(here, recipes), scope(here, recipes), select)

    def plan(self, *recipes: str, select: str | None = None) -> dict[tuple[str, str], Any]:
        with self.instance() as instance:
            plan = self.open(list(recipes) or None, select, instance)
            return {(step.asset, step.partition): step for step in plan.steps()}

    def apply(self, *recipes: str, select: str | None = None, budget: float | None = None) -> dict:
        with self.instance() as instance:
            plan = self.open(list(recipes) or None, select, instance)
            from am_assets.orchestration.resources import run_tags
            from am_assets.planning.steps import Outcome
            from am_assets.project import project

            tags = run_tags(project(), budget, recipes or None, "a test")
            outcomes = [event for event in plan.apply(tags) if isinstance(event, Outcome)]
        return {(outcome.step.asset, outcome.step.partition): outcome for outcome in outcomes}

    def remove(self, asset: str, partition: str) -> None:
        """A stored table, in the store too where there is one."""
        path = self.folder / "assets" / asset / f"{partition}.parquet"
        of(path).remove([path])

    def bytes(self) -> dict[str, bytes]:
        tables = (self.folder / "assets").rglob("*.parquet")
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in tables}


def at_desk(folder: Path, server: CountingProxy, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk at `folder`, written there if the folder is empty, that the environment points to."""
    monkeypatch.setenv("AM_DATA", str(folder))
    monkeypatch.setenv("DAGSTER_HOME", str(folder / "instance"))
    monkeypatch.setenv("TEST_MODEL_KEY", "none")
    monkeypatch.delenv("AM_SOURCES", raising=False)
    desk = Desk(folder)
    if not (folder / "recipes").exists():
        desk.write_project(server.url)
    return desk
