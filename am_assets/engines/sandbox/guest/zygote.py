"""Forks cells from an interpreter that is warm and has seen no job, so that a cell finds nothing of one in its memory.

It is asked over a socket with what the cell is to be (JSON) and the descriptors that it gets, and answers with the
process id, 0 if there is none; or, for {"ended": id}, with the exit code of a cell that is its own child.
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
        order = json.loads(message)
        if "ended" in order:
            process, status = os.waitpid(order["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if process else None
        else:
            start = start_in_namespaces if order["user"] is None else start_as_user
            answer = start(order, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        requests.send(json.dumps(answer).encode())


def start_as_user(order: dict[str, Any], descriptors: list[int]) -> int:
    """Starts a cell as a child of this process; its id."""
    if (cell := os.fork()) == 0:
        try:
            become(order, descriptors)
        finally:
            os._exit(1)
    return cell


def start_in_namespaces(order: dict[str, Any], descriptors: list[int]) -> int:
    """The same by a process between, which enters the namespaces and by its death gives the cell to the supervisor."""
    reading, writing = os.pipe()
    if (middle := os.fork()) == 0:
        try:
            isolation.new_namespaces(order["nobody"])
            if (cell := os.fork()) == 0:
                become(order, descriptors)
            os.write(writing, str(cell).encode())
            os._exit(0)
        finally:
            os._exit(1)
    os.close(writing)
    cell = int(os.read(reading, 32) or b"0")
    os.close(reading)
    os.waitpid(middle, 0)
    return cell


def become(order: dict[str, Any], descriptors: list[int]) -> None:
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
