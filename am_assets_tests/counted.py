"""A small project whose labeler, teacher and judge are scripted servers, because what they are asked is counted and
what they answer has to be the same in every run."""

import json
from pathlib import Path

from am_assets_tests.desk import FREE, RECIPE, Desk
from am_assets_tests.scripted import Reply, Teacher, answer
from am_assets_tests.services import settle

LATENCY = 0.2  # seconds an answer takes
SCORES = dict.fromkeys(("correctness", "helpfulness", "coherence", "complexity", "verbosity"), 3)
SAYS = {
    "openai/labeler": json.dumps({"category": "math", "difficulty": "easy"}),
    "openai/teacher": "<think>Count on.</think> <answer>\\boxed{13}</answer>",
    "openai/judge": json.dumps(SCORES),
}
TASTE = {
    **RECIPE,
    "dedup": {"threshold": 1.0},
    "teacher": {"model": "openai/teacher", "max_tokens": 64},
    "verification": {"accept": "all"},
    "training": {**RECIPE["training"], "epochs": 0.1},
    "evaluation": {**RECIPE["evaluation"], "samples": 30, "temperature": 0.7},  # more than one batch a student
}


class Models:
    def __init__(self) -> None:
        self.servers = {name: _says(text) for name, text in SAYS.items()}

    def asked(self) -> dict[str, list[float]]:
        """Every request and when it came."""
        found: dict[str, list[float]] = {}
        for server in self.servers.values():
            for body, at in zip(server.bodies, server.times, strict=True):
                found.setdefault(json.dumps(body, sort_keys=True), []).append(at)
        return found

    def stop(self) -> None:
        for server in self.servers.values():
            server.stop()


def _says(text: str) -> Teacher:
    def reply(*_: object) -> Reply:
        said = answer(text)
        said.seconds = LATENCY
        return said

    return Teacher(reply)


def small_project(folder: Path, models: Models, questions: int, shards: int, start_timeout: int) -> Desk:
    """One recipe, two programs with published responses, and shards of sums that have to be taught."""
    folder.mkdir()
    desk = Desk(folder)
    desk.write_project("")
    (folder / "recipes" / "other.yaml").unlink()
    names = [f"asked{number}" for number in range(shards)]
    for name in names:
        totals = {f"A jar of {name} holds {n} beans and gets {n * n}. How many?": n + n * n for n in range(questions)}
        desk.rows(name, [{"question": text, "reference_answer": str(total)} for text, total in totals.items()])
    desk.write("sources.yaml", {name: desk.source(name, rank) for rank, name in enumerate(["tasks", *names])})
    desk.recipe("plain", TASTE)
    # without an audit, in which the judge is asked the same again
    asks = {"labels": {"model": "openai/labeler"}, "reward": {"model": "openai/judge", "judges": "every", "audit": 0}}
    desk.write("instruments.yaml", {**asks, "embeddings": {"model": "static"}, "pairs": {"floor": 0.9}})
    reach = {"api_key_env": "TEST_MODEL_KEY", "concurrency": 4, **FREE}
    desk.write("endpoints.yaml", {name: {**reach, "api_base": at.url} for name, at in models.servers.items()})
    settle(folder, start_timeout)
    return desk
