"""Forks cells from an interpreter that is warm and has seen no job, so that a cell finds nothing of one in its memory.

It is asked over a socket with what the cell is to be (JSON) and the descriptors that it gets, and answers with the
process id, 0 if there is none; or, for {"ended": id}, with the exit code of a cell, null while it lives.
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
            process, status = os.waitpid(order["ended"], 0 if order["wait"] else os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if process else None
        else:
            answer = start(order, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        requests.send(json.dumps(answer).encode())


def start(order: dict[str, Any], descriptors: list[int]) -> int:
    """Starts a cell as a child of this process; its id, 0 where there can be none."""
    in_namespaces = order["user"] is None
    cell = isolation.fork_into_namespaces() if in_namespaces else os.fork()
    if cell == 0:
        try:
            if in_namespaces:
                isolation.map_itself(order["nobody"])
            become(order, descriptors)
        finally:
            os._exit(1)
    return max(cell, 0)


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
