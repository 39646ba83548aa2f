"""A project folder with a few questions whose tables are written as an apply would have stored them."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import httpx
import polars as pl
import uvicorn

from am_assets.datasets.identity import question_id
from am_assets.orchestration.schemas import TABLES
from am_assets.project import Project, load_project
from am_assets.view import guard
from am_assets.view.app import application
from am_assets_tests.desk import Desk
from am_assets_tests.services import until

SHARD = "sums"
SAID = {"pass": "equal", "fail": "different", "unverifiable": "unreadable"}  # reasons of math verdicts
RECIPES = ("plain", "other")
BY_OTHER = "near_duplicate"  # what the recipe `other` drops the last question as


class Asked(NamedTuple):
    """A question and its responses, (think, answer, teacher, verdict)."""

    question: str
    reference: str | None
    responses: list[tuple[str, str, str, str]]
    category: str = "math"
    tests: str | None = None

    @property
    def id(self) -> str:
        return question_id(self.question)

    def response_id(self, at: int) -> str:
        return question_id(f"{self.question} {at}")


def write_tables(folder: Path, asked: list[Asked], findings: dict[str, list[dict[str, str]]] | None = None) -> Desk:
    """The first question's own near duplicate is the last one. `findings` of screens, by response."""
    desk = Desk(folder)
    desk.write_project("http://127.0.0.1:1/v1")
    answers = [
        {"response_id": one.response_id(at), "question_id": one.id, "of": one, "think": think, "answer": answer,
         "teacher": teacher, "verdict": verdict}
        for one in asked for at, (think, answer, teacher, verdict) in enumerate(one.responses)
    ]  # fmt: skip
    where = {"shard": SHARD, "source": SHARD}
    hits = findings or {}
    tables: dict[str, list[dict[str, Any]]] = {
        "raw_pool": [
            {"question_id": one.id, "source": SHARD, "question": one.question, "reference_answer": one.reference,
             "test_cases": one.tests, "constraints": None, "published": [], "copies": 1, "license": "mit",
             "extra": None, "defect": None}
            for one in asked
        ],
        "question_features": [
            {"question_id": one.id, "chars": len(one.question), "words": 3, "ascii_share": 1.0, "language": "en",
             "complete": True, "has_url": False, "has_image": False, "has_table": False, "has_check": True,
             "verifiers": ["math"], "published": 0, "license": "mit"}
            for one in asked
        ],
        "question_labels": [
            {"question_id": one.id, "category": one.category, "difficulty": "easy", "label_model": "m",
             "label_raw": "{}"}
            for one in asked
        ],
        "similar_pairs": [{"question_id": asked[0].id, "other_id": asked[-1].id, "cosine": 0.97}],
        "responses": [
            {"response_id": one["response_id"], "question_id": one["question_id"], "request_key": None,
             "teacher": one["teacher"], "origin": "published", "sample_index": 0,
             "response": f"<think>{one['think']}</think> <answer>{one['answer']}</answer>", "finish_reason": "stop",
             "prompt_tokens": 1, "completion_tokens": 2, "cost": 0.0}
            for one in answers
        ],
        "response_features": [
            {"response_id": one["response_id"], "question_id": one["question_id"], "think": one["think"],
             "answer": one["answer"], "template": "paper", "well_formed": True, "truncated": False,
             "think_chars": len(one["think"]), "answer_chars": len(one["answer"]), "repetition": 0.0,
             "consecutive": 0.0, "prompt_share": 0.0, "think_language": "en", "answer_language": "en"}
            for one in answers
        ],
        "math_verdicts": [
            {"response_id": one["response_id"], "question_id": one["question_id"], "verdict": one["verdict"],
             "reason": SAID[one["verdict"]], "extracted": one["answer"], "reference": one["of"].reference,
             "judge": None, "judged_equal": None, "judge_raw": None}
            for one in answers if one["of"].reference
        ],
        "code_verdicts": [
            {"response_id": one["response_id"], "question_id": one["question_id"], "verdict": one["verdict"],
             "reason": "wrong_answer", "outcomes": ["pass", "wrong_answer"], "detail": "AssertionError: 4",
             "sandbox": "bubblewrap"}
            for one in answers if one["of"].tests
        ],
        "response_screens": [
            {"response_id": one["response_id"], "question_id": one["question_id"],
             "screens": [hit["screen"] for hit in hits.get(one["response_id"], [])],
             "findings": hits.get(one["response_id"], [])}
            for one in answers
        ],
    }  # fmt: skip
    for asset, rows in tables.items():
        _store(folder, asset, SHARD, rows)
    for recipe in RECIPES:
        lost = asked[-1].id if recipe == "other" else None
        _store(folder, "deduped_set", recipe, [
            {"question_id": one.id, **where, "copies": 1, "kept": one.id != lost,
             "drop_reason": BY_OTHER if one.id == lost else None,
             "representative": asked[0].id if one.id == lost else None, "cosine": 0.97 if one.id == lost else None,
             "detail": None, "decided_by": "dedup.threshold" if one.id == lost else None}
            for one in asked
        ])  # fmt: skip
        left = [one for one in asked if one.id != lost]
        _store(folder, "selected_questions", recipe, [
            {"question_id": one.id, **where, "category": one.category, "difficulty": "easy", "kept": True,
             "drop_reason": None, "detail": None, "decided_by": None, "teacher": "t", "samples": 1}
            for one in left
        ])  # fmt: skip
        _store(folder, "verified_set", recipe, [
            {"response_id": one["response_id"], "question_id": one["question_id"], **where,
             "category": one["of"].category, "difficulty": "easy", "teacher": one["teacher"], "origin": "published",
             "evidence": "code" if one["of"].tests else "math", "verdict": one["verdict"], "second_verdict": None,
             "passed": one["verdict"] == "pass", "pass_rate": 1.0, "reference_doubtful": False,
             "repaired_reference": None, "repetitive": False,
             "screens": [hit["screen"] for hit in hits.get(one["response_id"], [])], "kept": one["verdict"] == "pass",
             "drop_reason": None if one["verdict"] == "pass" else "wrong_answer", "detail": None,
             "decided_by": None if one["verdict"] == "pass" else "verification.accept",
             "reward": len(one["answer"]) / 100}
            for one in answers if one["question_id"] != lost
        ])  # fmt: skip
    desk.recipe("other", {"extends": "plain", "dedup": {"threshold": 0.9}})
    return desk


def _store(folder: Path, asset: str, partition: str, rows: list[dict[str, Any]]) -> None:
    path = folder / "assets" / asset / f"{partition}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = TABLES[asset]
    empty = schema.create_empty()
    table = pl.DataFrame(rows, schema=empty.schema, strict=False) if rows else empty
    schema.validate(table.sort(schema.primary_key()), cast=True).write_parquet(path)


def project_at(folder: Path) -> Project:
    return load_project(folder, folder / "sources.yaml")


@contextmanager
def pages(folder: Path, token: str | None = None) -> Iterator[httpx.Client]:
    """The pages of both recipes from a server of this process, asked as a browser on this machine would."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        names = guard.host_names(port) if token is None else None
        app = application(project_at(folder), list(RECIPES), "http://localhost:3000", names, token)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            until(lambda: server.started, "the pages are served", every=0.01)
            yield client
        server.should_exit = True
        thread.join()


def server_at(url: str) -> SimpleNamespace:
    """In place of a model server, which nothing here asks."""
    return SimpleNamespace(url=url)
