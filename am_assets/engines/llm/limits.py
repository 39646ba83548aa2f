"""Rate limiter of one provider account: slots, requests and tokens per minute, shared by all processes of this machine.

The state is one small memory-mapped file per provider, in a folder of this user under the system's temporary folder;
every change is made under its lock. Slots of dead processes are freed at once. Several machines that use one account,
or containers that do not see each other's processes, need the limits divided between them.
"""

import fcntl
import mmap
import os
import re
import secrets
import struct
import time
from typing import NamedTuple

from am_assets.engines.machine import machine_folder

MAX_STREAMS = 32  # at the same time; further ones are not seen by the others
SILENCE_SECONDS = 30.0  # without a heartbeat, after which a stream counts as dead even if its process id exists
BURST_SECONDS = 1.0  # how far requests may run ahead of even spacing
MAX_AHEAD_SECONDS = 120.0  # a later reservation comes from another clock: a reboot, a copied file
POLL_SECONDS = 0.02
WAITING_SECONDS = 1.0  # since its last attempt, after which a stream no longer counts as waiting for a slot
HEAD = struct.Struct("dd")  # when the next request and the next token are due at even spacing
STREAM = struct.Struct("QIIdd")  # the fields of _Stream


class _Stream(NamedTuple):
    id: int  # 0: free record
    pid: int
    slots: int  # held
    waiting: float  # time of the last failed attempt to get a slot, or 0
    seen: float  # time of the last heartbeat


class Share:
    """The share of one stream of requests in the limits of a provider. All times are of the monotonic clock."""

    def __init__(self, provider: str, slots: int, requests_per_minute: int | None, tokens_per_minute: int | None):
        self.slots = slots
        self.per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self.per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self.id = secrets.randbits(63) | 1
        self.held = 0
        self.index: int | None = None
        path = machine_folder() / (re.sub(r"[^\w.-]+", "_", provider) + ".limits")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.ftruncate(self.file, HEAD.size + MAX_STREAMS * STREAM.size)
        self.state = mmap.mmap(self.file, HEAD.size + MAX_STREAMS * STREAM.size)

    def acquire(self, tokens: int) -> float:
        """Acquire a slot for a request of about `tokens`: 0.0 if granted, else seconds to wait before the next try."""
        with self:
            now = time.monotonic()  # read under the lock, so that no heartbeat of others is in the future
            others = self._others(now)
            taken = self.held + sum(other.slots for other in others)
            fair = max(1, self.slots // (1 + len(others)))
            served = self.held >= fair or (self.slots <= len(others) and not self._is_waiting(now))
            yields = served and any(now - other.waiting < WAITING_SECONDS and other.slots < fair for other in others)
            if taken >= self.slots or yields:
                self._record(now, waits=now)
                return POLL_SECONDS
            due = [min(at, now + MAX_AHEAD_SECONDS) for at in HEAD.unpack_from(self.state)]
            ahead: float = max(due) - now
            if ahead > BURST_SECONDS:
                HEAD.pack_into(self.state, 0, *due)
                self._record(now, waits=0.0)
                return ahead - BURST_SECONDS
            spacing = (self.per_request, self.per_token * tokens)
            HEAD.pack_into(self.state, 0, *(max(at, now) + gap for at, gap in zip(due, spacing, strict=True)))
            self.held += 1
            self._record(now, waits=0.0)
            return 0.0

    def release(self, more_tokens: int = 0) -> None:
        """Release a slot; the request used `more_tokens` more than announced (or fewer, if negative)."""
        with self:
            request_due, token_due = HEAD.unpack_from(self.state)
            HEAD.pack_into(self.state, 0, request_due, token_due + more_tokens * self.per_token)
            self.held -= 1
            self._record(time.monotonic(), waits=0.0)

    def heartbeat(self) -> None:
        """Show that this stream is alive; due at least every `SILENCE_SECONDS`."""
        with self:
            self._record(time.monotonic(), waits=None)

    def close(self) -> None:
        """Release all slots and close the file."""
        with self:
            if self.index is not None and self._stream(self.index).id == self.id:
                STREAM.pack_into(self.state, _at(self.index), 0, 0, 0, 0.0, 0.0)
        self.state.close()
        os.close(self.file)

    def __enter__(self) -> None:
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self.file, fcntl.LOCK_UN)

    def _streams(self) -> list[_Stream]:
        return [_Stream(*fields) for fields in STREAM.iter_unpack(self.state[HEAD.size :])]

    def _others(self, now: float) -> list[_Stream]:
        return [stream for stream in self._streams() if stream.id not in (0, self.id) and _alive(stream, now)]

    def _is_waiting(self, now: float) -> bool:
        """Whether this stream is recorded as waiting for a slot."""
        if self.index is None or (own := self._stream(self.index)).id != self.id:
            return False
        return now - own.waiting < WAITING_SECONDS

    def _record(self, now: float, waits: float | None) -> None:
        """Write the record of this stream; allocates one at first, and again if another stream took it for dead."""
        if self.index is None or self._stream(self.index).id != self.id:
            free = (number for number, old in enumerate(self._streams()) if not old.id or not _alive(old, now))
            self.index = next(free, None)
        if self.index is None:
            return  # no free record: this stream is not seen by the others
        waiting = self._stream(self.index).waiting if waits is None else waits
        STREAM.pack_into(self.state, _at(self.index), self.id, os.getpid(), self.held, waiting, now)

    def _stream(self, number: int) -> _Stream:
        return _Stream(*STREAM.unpack_from(self.state, _at(number)))


def _at(number: int) -> int:
    """The offset of a record in the file."""
    return HEAD.size + number * STREAM.size


def _alive(stream: _Stream, now: float) -> bool:
    if not 0 <= now - stream.seen < SILENCE_SECONDS:
        return False
    try:
        os.kill(stream.pid, 0)  # checks that the process exists
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
