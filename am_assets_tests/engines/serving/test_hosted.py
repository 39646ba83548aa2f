"""What stands before `transformers serve`: an API key, and requests of one sampling at a time."""

import asyncio
import json

from am_assets.engines.serving.hosted import Guarded


class Served:
    """An application that says what it was asked, when told to."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.go = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            self.asked.append(json.loads((await receive())["body"]))
            await self.go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})


async def ask(app: Guarded, body: dict | bytes = b"", path: str = "/v1/chat/completions", key: str = "k") -> int:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = []

    async def receive() -> dict:
        return {"type": "http.request", "body": content}

    async def send(message: dict) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "POST" if body else "GET"}
    await app(scope | {"headers": [(b"authorization", f"Bearer {key}".encode())]}, receive, send)
    return sent[0]["status"]


def guarded(restarts: list) -> tuple[Served, Guarded]:
    served = Served()
    return served, Guarded(served, "k", {"eos_token_id": 2}, lambda: restarts.append(len(served.asked)))


def test_without_the_key_only_the_health_route_answers():
    async def run() -> list[int]:
        served, app = guarded([])
        served.go.set()
        return [
            await ask(app, path="/health", key="other"),
            await ask(app, path="/v1/models", key="other"),
            await ask(app, {"temperature": 0}, key=""),
            await ask(app, {"temperature": 0}),
            await ask(app, b"no JSON"),
        ]

    assert asyncio.run(run()) == [200, 401, 401, 200, 400]


def test_another_sampling_waits_until_the_one_before_is_answered():
    async def run() -> tuple[list[int], list[float]]:
        restarts: list[int] = []
        served, app = guarded(restarts)
        first = [asyncio.create_task(ask(app, {"temperature": 0, "max_tokens": n})) for n in (1, 2)]
        await asyncio.sleep(0.01)
        other = asyncio.create_task(ask(app, {"temperature": 0.7, "top_p": 0.9, "top_k": -1}))
        await asyncio.sleep(0.01)
        assert len(served.asked) == 2  # of one sampling, whatever their limits
        served.go.set()
        await asyncio.gather(*first, other)
        return restarts, [json.loads(body["generation_config"]) for body in served.asked]

    restarts, configs = asyncio.run(run())
    assert restarts == [0, 2]
    assert configs[0] == {"eos_token_id": 2, "do_sample": False, "top_k": 0}
    assert configs[2] == {"eos_token_id": 2, "do_sample": True, "top_k": 0, "temperature": 0.7, "top_p": 0.9}
