"""Interrupts of a stream of requests, against a scripted teacher: no answer that was paid for is lost."""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

from am_assets.config.endpoints import Endpoint
from am_assets.engines.llm import ANSWER, ask
from am_assets.storage.memo import Memo
from am_assets_tests.scripted import Reply, Teacher, answer, requests

NUMBERS = [str(number) for number in range(300)]
MOMENTS = [0.2 + 0.02 * n for n in range(16)]  # seconds from the first request, over a frame of answers and its storing


def slowly(question: str, _: int) -> Reply:
    return Reply(body=answer(question).body, seconds=0.02)


def endpoint(server: Teacher) -> Endpoint:
    return Endpoint(api_base=server.url, api_key_env="TEST_TEACHER_KEY", concurrency=2)


def test_an_interrupted_stream_asks_nothing_more_and_hands_on_every_answer(teacher, heard: None) -> None:
    server = teacher(slowly)
    answers = ask(requests(*NUMBERS), "openai/scripted", [endpoint(server)])
    came = [next(answers)]
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        came.extend(answers)
    assert len(server.asked) < 60
    assert pl.concat(came)["key"].sort().to_list() == sorted(server.asked)


def test_a_second_interrupt_takes_nothing_more(teacher, heard: None) -> None:
    server = teacher(slowly)
    answers = ask(requests(*NUMBERS), "openai/scripted", [endpoint(server)])
    next(answers)
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        next(answers)


def interrupt(server: Teacher, before: int, seconds: float, number: int) -> None:
    while len(server.asked) == before:
        time.sleep(0.005)
    time.sleep(seconds)
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_whenever_it_comes_what_was_answered_is_stored(teacher, heard: None, tmp_path: Path, number: int) -> None:
    server = teacher(slowly)
    for at, seconds in enumerate(MOMENTS):
        memo, before = Memo(tmp_path / str(at)), len(server.asked)
        wanted = requests(*(f"{at} {n}" for n in NUMBERS))
        sender = Thread(target=interrupt, args=(server, before, seconds, number))
        sender.start()
        with pytest.raises(KeyboardInterrupt):
            memo.fill("answers", wanted, lambda rows: ask(rows, "openai/scripted", [endpoint(server)]), ANSWER)
        sender.join()
        stored = memo.known("answers")
        assert stored is not None
        keys = stored.select("key").collect()["key"]
        assert Counter(keys) == Counter(server.asked[before:])
