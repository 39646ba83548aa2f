"""The embedded model, really served: what it answers, and that it does not outlive who started it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from am_assets.engines.models import local_model
from am_assets.engines.models.local_model import embedded_gguf, serve

SCHEMA = {"type": "object", "properties": {"colour": {"enum": ["red", "green"]}}, "required": ["colour"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "colour", "strict": True, "schema": SCHEMA}}
CONTEXT, SLOTS = 512, 2  # unlike anyone else's, so that these tests share no server


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"absent\.gguf"):
        serve(tmp_path / "absent.gguf")


@pytest.mark.model
def test_a_broken_file_fails_with_the_end_of_the_server_log(tmp_path: Path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(embedded_gguf().read_bytes()[:100_000])
    with pytest.raises(RuntimeError, match=r"(?s)broken\.gguf.*failed to load model"):
        serve(broken)


@pytest.mark.model
def test_parallel_requests_are_answered_in_the_schema_asked_for():
    async def ask_all() -> list[str]:
        return await asyncio.gather(
            *(ask(f"Is {thing} red or green?", FORMAT) for thing in ["grass", "blood", "a leaf", "wine"])
        )

    answers = [json.loads(answer) for answer in asyncio.run(ask_all())]
    assert {answer["colour"] for answer in answers} <= {"red", "green"}


@pytest.mark.model
def test_one_server_answers_all_who_ask_from_any_thread():
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(serve(embedded_gguf(), CONTEXT, SLOTS))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert set(found) == {serve(embedded_gguf(), CONTEXT, SLOTS)}
    assert asyncio.run(ask("Hello?"))  # though the thread that started the server is gone


@pytest.mark.model
@pytest.mark.parametrize(
    "end", ["pass", "raise SystemExit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_the_server_ends_with_its_parent_however_that_ends(end: str):
    program = (
        "from am_assets.engines.models import local_model\n"
        f"local_model.serve(local_model.embedded_gguf(), {CONTEXT}, 1)\n"
        "print(*(server.pid for server, _ in local_model._servers.values()), flush=True)\n"
    )
    parent = subprocess.run([sys.executable, "-c", program + end], capture_output=True, text=True, timeout=60)
    server = int(parent.stdout)
    deadline = time.monotonic() + 20
    while alive(server) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(server)


@pytest.mark.model
def test_a_server_that_died_is_replaced_by_the_next_call():
    serve(embedded_gguf(), CONTEXT, SLOTS)
    process, _ = local_model._servers[embedded_gguf().resolve(), CONTEXT, SLOTS]
    process.kill()
    process.wait()
    assert asyncio.run(ask("Hello?"))


async def ask(question: str, form: dict | None = None) -> str:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    reply = await litellm.acompletion(
        model="openai/smollm2",
        api_base=serve(embedded_gguf(), CONTEXT, SLOTS),
        api_key="none",
        messages=[{"role": "user", "content": question}],
        temperature=0,
        seed=0,
        max_tokens=24,
        **({"response_format": form} if form else {}),
    )
    return reply.choices[0].message.content


def alive(pid: int) -> bool:
    """Whether the process still runs; one that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
