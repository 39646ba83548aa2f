"""Rate limiter of one provider account: slots, requests and tokens per minute, shared by all processes of this machine.

The state is one small memory-mapped file per provider, in a folder of this user under the system's temporary folder;
every change is made under its lock. Slots of dead processes are freed at once. Several machines that use one account,
or containers that do not see each other's processes, share a state in a database (`shared_limits.py`), or need the
limits divided between them.
"""

import fcntl
import mmap
import os
import re
import secrets
import struct
import time
from contextlib import suppress
from typing import NamedTuple, Protocol

from am_assets.engines.machine import machine_folder

MAX_STREAMS = 32  # at the same time; further ones are not seen by the others
SILENCE_SECONDS = 30.0  # without a heartbeat, after which a stream counts as dead even if its process id exists
BURST_SECONDS = 1.0  # how far requests may run ahead of even spacing
MAX_AHEAD_SECONDS = 120.0  # a later reservation comes from another clock: a reboot, a copied file
POLL_SECONDS = 0.02
UNREACHABLE_SECONDS = 1.0  # before the next try to reach the state
WAITING_SECONDS = 1.0  # since its last attempt, after which a stream no longer counts as waiting for a slot
HEAD = struct.Struct("dd")  # when the next request and the next token are due at even spacing
STREAM = struct.Struct("QIIdd")  # the fields of _Stream


class _Stream(NamedTuple):
    id: int  # 0: free record
    pid: int
    slots: int  # held
    waiting: float  # time of the last failed attempt to get a slot, or 0
    seen: float  # time of the last heartbeat


class StateUnreachable(OSError):
    """Nothing can be known or changed now."""


class State(Protocol):
    """Where the streams of a provider meet. `data` is only read and changed with the lock held, in a `with` block."""

    @property
    def data(self) -> mmap.mmap | bytearray: ...

    def __enter__(self) -> object: ...  # `StateUnreachable`

    def __exit__(self, *_: object) -> None: ...

    def now(self) -> float:
        """Seconds on the clock of the streams, the same for all of them; with the lock held."""

    def lives(self, pid: int) -> bool:
        """Whether a stream of this process may still be there."""

    def close(self) -> None: ...


class LocalState:
    """The state for the processes of this machine. All times are of the monotonic clock."""

    def __init__(self, provider: str):
        path = machine_folder() / (re.sub(r"[^\w.-]+", "_", provider) + ".limits")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.ftruncate(self.file, HEAD.size + MAX_STREAMS * STREAM.size)
        self.data = mmap.mmap(self.file, HEAD.size + MAX_STREAMS * STREAM.size)

    def __enter__(self) -> None:
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self.file, fcntl.LOCK_UN)

    def now(self) -> float:
        return time.monotonic()

    def lives(self, pid: int) -> bool:
        try:
            os.kill(pid, 0)  # checks that the process exists
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def close(self) -> None:
        self.data.close()
        os.close(self.file)


class Share:
    """The share of one stream of requests in the limits of a provider.

    While its state can't be reached nothing is granted; what is released meanwhile is recorded later.
    """

    def __init__(self, state: State, slots: int, requests_per_minute: int | None, tokens_per_minute: int | None):
        self.state = state
        self.slots = slots
        self.per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self.per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self.id = secrets.randbits(63) | 1
        self.held = 0
        self.owed = 0  # tokens that requests used more than announced, not recorded yet
        self.index: int | None = None

    def acquire(self, tokens: int) -> float:
        """Acquire a slot for a request of about `tokens`: 0.0 if granted, else seconds to wait before the next try."""
        before = self.held, self.owed
        try:
            with self.state:
                return self._acquire(tokens, self.state.now())  # the time under the lock: no heartbeat is later
        except StateUnreachable:
            self.held, self.owed = before  # what could not be stored was not granted
            return UNREACHABLE_SECONDS

    def _acquire(self, tokens: int, now: float) -> float:
        self._settle()
        others = self._others(now)
        taken = self.held + sum(other.slots for other in others)
        fair = max(1, self.slots // (1 + len(others)))
        served = self.held >= fair or (self.slots <= len(others) and not self._is_waiting(now))
        yields = served and any(now - other.waiting < WAITING_SECONDS and other.slots < fair for other in others)
        if taken >= self.slots or yields:
            self._record(now, waits=now)
            return POLL_SECONDS
        due = [min(at, now + MAX_AHEAD_SECONDS) for at in HEAD.unpack_from(self.state.data)]
        ahead: float = max(due) - now
        if ahead > BURST_SECONDS:
            HEAD.pack_into(self.state.data, 0, *due)
            self._record(now, waits=0.0)
            return ahead - BURST_SECONDS
        spacing = (self.per_request, self.per_token * tokens)
        HEAD.pack_into(self.state.data, 0, *(max(at, now) + gap for at, gap in zip(due, spacing, strict=True)))
        self.held += 1
        self._record(now, waits=0.0)
        return 0.0

    def release(self, more_tokens: int = 0, follows: bool = False) -> None:
        """Release a slot; the request used `more_tokens` more than announced (or fewer, if negative). Where a request
        `follows` at once, its attempt to acquire one tells of both, or else the next heartbeat."""
        self.owed += more_tokens
        self.held -= 1
        if not follows:
            self._report(waits=0.0)

    def heartbeat(self) -> None:
        """Show that this stream is alive; due at least every `SILENCE_SECONDS`."""
        self._report(waits=None)

    def _report(self, waits: float | None) -> None:
        owed = self.owed
        try:
            with self.state:
                self._settle()
                self._record(self.state.now(), waits)
        except StateUnreachable:
            self.owed = owed

    def _settle(self) -> None:
        request_due, token_due = HEAD.unpack_from(self.state.data)
        HEAD.pack_into(self.state.data, 0, request_due, token_due + self.owed * self.per_token)
        self.owed = 0

    def close(self) -> None:
        """Release all slots."""
        with suppress(StateUnreachable), self.state:
            if self.index is not None and self._stream(self.index).id == self.id:
                STREAM.pack_into(self.state.data, _at(self.index), 0, 0, 0, 0.0, 0.0)
        self.state.close()

    def _streams(self) -> list[_Stream]:
        return [_Stream(*fields) for fields in STREAM.iter_unpack(self.state.data[HEAD.size :])]

    def _others(self, now: float) -> list[_Stream]:
        return [stream for stream in self._streams() if stream.id not in (0, self.id) and self._alive(stream, now)]

    def _is_waiting(self, now: float) -> bool:
        """Whether this stream is recorded as waiting for a slot."""
        if self.index is None or (own := self._stream(self.index)).id != self.id:
            return False
        return now - own.waiting < WAITING_SECONDS

    def _record(self, now: float, waits: float | None) -> None:
        """Write the record of this stream; allocates one at first, and again if another stream took it for dead."""
        if self.index is None or self._stream(self.index).id != self.id:
            free = (number for number, old in enumerate(self._streams()) if not old.id or not self._alive(old, now))
            self.index = next(free, None)
        if self.index is None:
            return  # no free record: this stream is not seen by the others
        waiting = self._stream(self.index).waiting if waits is None else waits
        STREAM.pack_into(self.state.data, _at(self.index), self.id, os.getpid(), self.held, waiting, now)

    def _stream(self, number: int) -> _Stream:
        return _Stream(*STREAM.unpack_from(self.state.data, _at(number)))

    def _alive(self, stream: _Stream, now: float) -> bool:
        return 0 <= now - stream.seen < SILENCE_SECONDS and self.state.lives(stream.pid)


def _at(number: int) -> int:
    """The offset of a record in the file."""
    return HEAD.size + number * STREAM.size
