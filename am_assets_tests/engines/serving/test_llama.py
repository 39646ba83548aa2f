"""The embedded model, really served by llama.cpp."""

import asyncio
import json
import os
import signal
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.engines.models.bundled import BUNDLED, embedded_gguf
from am_assets.engines.serving import Lease, ServerError, lease, server_of
from am_assets_tests.engines.serving.playing import until

SCHEMA = {"type": "object", "properties": {"colour": {"enum": ["red", "green"]}}, "required": ["colour"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "colour", "strict": True, "schema": SCHEMA}}
ENDPOINT = Endpoint(context=512, concurrency=2)  # unlike anyone else's, so that these tests share no server


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"absent\.gguf"):
        server_of("embedded/mine", Endpoint(gguf=str(tmp_path / "absent.gguf")))


@pytest.mark.model
def test_a_broken_file_fails_with_the_end_of_the_server_log(tmp_path: Path):
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(embedded_gguf().read_bytes()[:100_000])
    with pytest.raises(ServerError, match=r"(?s)broken\.gguf.*the weights can't be loaded.*failed to load model"):
        lease(server_of("embedded/mine", Endpoint(gguf=str(broken)))).address()


@pytest.mark.model
def test_arguments_are_fields_of_llama():
    entry = Endpoint.model_validate({"serve": {"engine": "llama", "arguments": {"n-bach": 64}}})
    with pytest.raises(ServerError, match="knows no such argument"):
        lease(server_of(BUNDLED, entry)).address()


@pytest.mark.model
def test_parallel_requests_are_answered_in_the_schema_asked_for():
    async def ask_all() -> list[str]:
        return await asyncio.gather(
            *(ask(f"Is {thing} red or green?", FORMAT) for thing in ["grass", "blood", "a leaf", "wine"])
        )

    answers = [json.loads(answer) for answer in asyncio.run(ask_all())]
    assert {answer["colour"] for answer in answers} <= {"red", "green"}


@pytest.mark.model
def test_without_its_key_a_server_answers_nobody():
    address = here().address()
    with pytest.raises(HTTPError, match="401"):
        urlopen(Request(f"{address.url}/models"))
    assert urlopen(Request(f"{address.url}/models", headers={"authorization": f"Bearer {address.key}"})).status == 200


@pytest.mark.model
def test_a_server_that_died_comes_up_again():
    here().address()
    os.kill(here()._state()["server"], signal.SIGKILL)
    assert until(lambda: here()._state()["phase"] != "ready")
    assert asyncio.run(ask("Hello?"))


def here() -> Lease:
    return lease(server_of(BUNDLED, ENDPOINT))


async def ask(question: str, form: dict | None = None) -> str:
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    address = here().address()
    reply = await litellm.acompletion(
        model="openai/smollm2-135m-instruct",
        api_base=address.url,
        api_key=address.key,
        messages=[{"role": "user", "content": question}],
        temperature=0,
        seed=0,
        max_tokens=24,
        **({"response_format": form} if form else {}),
    )
    return reply.choices[0].message.content
