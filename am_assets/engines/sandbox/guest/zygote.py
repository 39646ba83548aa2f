"""Forks cells from an interpreter that is warm and has seen no job, so that a cell finds nothing of one in its memory.

It is asked over a socket with what the cell is to be (JSON) and the descriptors that it gets, and answers with the
process id. The cell becomes a child of the supervisor, which learns how it ends.
"""

import gc
import json
import os
import socket
from importlib import import_module
from typing import Any

from am_assets.engines.sandbox.guest import candidate, isolation, judge
from am_assets.engines.sandbox.guest.remote import SHARED_MODULES
from am_assets.engines.sandbox.guest.syscalls import program

FIRST_OF_ALL = 0, 1, 2  # nothing to read, and whatever is printed
CHANNEL, JOB, REPORT = 3, 4, 5


def main(requests: socket.socket) -> None:
    for name in SHARED_MODULES:  # what programs and tests import most
        import_module(name)
    program(os.uname().machine)
    gc.freeze()  # pages that a collection would touch stay shared
    while True:
        message, descriptors, _, _ = socket.recv_fds(requests, 1 << 16, 8)
        if not message:
            os._exit(0)
        reading, writing = os.pipe()
        if (middle := os.fork()) == 0:
            try:
                begin(json.loads(message), descriptors, writing)
            finally:
                os._exit(1)
        for descriptor in (writing, *descriptors):
            os.close(descriptor)
        number = os.read(reading, 32)
        os.close(reading)
        os.waitpid(middle, 0)  # the cell is the supervisor's from here on
        requests.send(number or b"0")


def begin(order: dict[str, Any], descriptors: list[int], answer: int) -> None:
    """In the process between: by its death the cell comes to its new parent."""
    if order["user"] is None:
        isolation.new_namespaces(order["nobody"])
    if child := os.fork():
        os.write(answer, str(child).encode())
        os._exit(0)
    null = os.open("/dev/null", os.O_RDONLY)
    places = [null, descriptors[0], *descriptors]
    above = [os.dup2(descriptor, 100 + place) for place, descriptor in enumerate(places)]  # clear of their own places
    for place, descriptor in enumerate(above):
        os.dup2(descriptor, place)
    os.closerange(len(places), 4096)
    isolation.confine(order["user"], order["rlimits"], order["scratch"])
    if order["role"] == "judge":
        judge.main(CHANNEL, JOB, REPORT)
    candidate.main(CHANNEL)
