"""Forks cells from a warm interpreter that has seen no job, so that no data of a job is in the memory of another.

A request over its socket is the description of a cell (JSON) with its descriptors; the answer is the process id, 0 if
it could not be started. For {"ended": id} the answer is the exit code of a cell, null while it runs.
"""

import gc
import json
import os
import socket
import sys
from importlib import import_module
from typing import Any

from am_assets.engines.sandbox.guest import candidate, isolation, judge, languages
from am_assets.engines.sandbox.guest.remote import SHARED_MODULES
from am_assets.engines.sandbox.guest.syscalls import program

CHANNEL, JOB, REPORT = 3, 4, 5  # descriptors of a cell, after the standard streams


def main(requests: socket.socket, settings: dict[str, Any]) -> None:
    """Serve until the supervisor closes the socket. `settings`: see `cells.Cells`."""
    if settings["packages"] is not None:
        sys.path.append(settings["packages"])
    if settings["headers"] is not None:
        languages.headers.append(settings["headers"])
    for name in SHARED_MODULES:  # imported most often by programs and tests
        import_module(name)
    program(os.uname().machine)
    gc.freeze()  # keeps memory pages shared that a garbage collection would write to
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
    """Start a cell as a child of this process; its process id, 0 where that fails."""
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
    """Turn this process into a confined judge or candidate; never returns."""
    null = os.open("/dev/null", os.O_RDONLY)
    places = [null, descriptors[0], *descriptors]
    above = [
        os.dup2(descriptor, 100 + place) for place, descriptor in enumerate(places)
    ]  # out of the way of their final numbers
    for place, descriptor in enumerate(above):
        os.dup2(descriptor, place)
    os.closerange(len(places), 4096)
    isolation.confine(order["user"], order["rlimits"], order["scratch"])
    if order["role"] == "judge":
        judge.main(CHANNEL, JOB, REPORT)
    candidate.main(CHANNEL)
