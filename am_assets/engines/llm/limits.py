"""Slots, requests a minute and tokens a minute of one provider, shared by all processes of this machine.

The state is one small mapped file a provider, in a folder of this user under the system's temporary folder; each change
is made under its lock. What a dead process held is free at once. Several machines that use one account, or containers
that do not see each other's processes, need its limits divided between them.
"""

import fcntl
import mmap
import os
import re
import secrets
import stat
import struct
import tempfile
import time
from pathlib import Path

from am_assets.config.files import ConfigError

USERS = 32  # streams at a time
SILENCE_SECONDS = 30.0  # after which a stream counts as dead, should its process number live on; a living one beats
BURST_SECONDS = 1.0  # how far requests may run ahead of an even spacing
MAX_AHEAD_SECONDS = 120.0  # a reservation further off than this stems from another clock: a reboot, a copied file
POLL_SECONDS = 0.02
WAITING_SECONDS = 1.0  # since it last looked for a slot, after which a stream waits for one no more
HEAD = struct.Struct("dd")  # when the next request, and the next token, would be due at an even spacing
USER = struct.Struct("QIIdd")  # who, its process, slots taken, when it looked for one in vain (or 0), last sign of life


class Share:
    """This stream's share of a provider. All times are of the monotonic clock, which a set clock does not touch."""

    def __init__(self, provider: str, slots: int, requests_per_minute: int | None, tokens_per_minute: int | None):
        self.slots = slots
        self.per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self.per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self.me = secrets.randbits(63) | 1
        self.mine = 0
        self.place: int | None = None
        path = _folder() / (re.sub(r"[^\w.-]+", "_", provider) + ".limits")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        os.ftruncate(self.file, HEAD.size + USERS * USER.size)
        self.state = mmap.mmap(self.file, HEAD.size + USERS * USER.size)

    def take(self, tokens: int) -> float:
        """Take a slot for a request of about `tokens`: 0.0 where granted, else seconds to wait before asking again."""
        with self:
            now = time.monotonic()  # under the lock: signs of the others must not lie in the future
            others = self._others(now)
            taken = self.mine + sum(user[2] for user in others)
            fair = max(1, self.slots // (1 + len(others)))
            had_its_turn = self.mine >= fair or (self.slots <= len(others) and not self._waits(now))
            yields = had_its_turn and any(now - user[3] < WAITING_SECONDS and user[2] < fair for user in others)
            if taken >= self.slots or yields:
                self._sign(now, waits=now)
                return POLL_SECONDS
            due = [min(at, now + MAX_AHEAD_SECONDS) for at in HEAD.unpack_from(self.state)]
            ahead = max(due) - now
            if ahead > BURST_SECONDS:
                HEAD.pack_into(self.state, 0, *due)
                self._sign(now, waits=0.0)
                return ahead - BURST_SECONDS
            spacing = (self.per_request, self.per_token * tokens)
            HEAD.pack_into(self.state, 0, *(max(at, now) + gap for at, gap in zip(due, spacing, strict=True)))
            self.mine += 1
            self._sign(now, waits=0.0)
            return 0.0

    def give_back(self, more_tokens: int = 0) -> None:
        """The slot is free again; the request took `more_tokens` more than was said (or fewer)."""
        with self:
            request_due, token_due = HEAD.unpack_from(self.state)
            HEAD.pack_into(self.state, 0, request_due, token_due + more_tokens * self.per_token)
            self.mine -= 1
            self._sign(time.monotonic(), waits=0.0)

    def beat(self) -> None:
        with self:
            self._sign(time.monotonic(), waits=None)

    def close(self) -> None:
        with self:
            if self.place is not None and self._user(self.place)[0] == self.me:
                USER.pack_into(self.state, _at(self.place), 0, 0, 0, 0.0, 0.0)
        self.state.close()
        os.close(self.file)

    def __enter__(self) -> None:
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        fcntl.flock(self.file, fcntl.LOCK_UN)

    def _users(self) -> list[tuple]:
        return list(USER.iter_unpack(self.state[HEAD.size :]))

    def _others(self, now: float) -> list[tuple]:
        return [user for user in self._users() if user[0] and user[0] != self.me and _alive(user, now)]

    def _waits(self, now: float) -> bool:
        """Whether we stand in line already."""
        if self.place is None or (user := self._user(self.place))[0] != self.me:
            return False
        return now - user[3] < WAITING_SECONDS

    def _sign(self, now: float, waits: float | None) -> None:
        """Write down what we hold. Our place is taken once, and again if somebody took us for dead."""
        if self.place is None or self._user(self.place)[0] != self.me:
            free = (number for number, user in enumerate(self._users()) if not user[0] or not _alive(user, now))
            self.place = next(free, None)
        if self.place is None:
            return  # more streams than places: this one is not seen by the others
        was_waiting = self._user(self.place)[3] if waits is None else waits
        USER.pack_into(self.state, _at(self.place), self.me, os.getpid(), self.mine, was_waiting, now)

    def _user(self, number: int) -> tuple:
        return USER.unpack_from(self.state, _at(number))


def _at(number: int) -> int:
    return HEAD.size + number * USER.size


def _alive(user: tuple, now: float) -> bool:
    if not 0 <= now - user[4] < SILENCE_SECONDS:
        return False
    try:
        os.kill(user[1], 0)  # a question, not a signal
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _folder() -> Path:
    """A folder that is ours alone: in a shared temporary folder anyone may have made it before us."""
    folder = Path(tempfile.gettempdir()) / f"am-assets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to somebody else: remove it, or set TMPDIR to a folder of your own")
    return folder
