"""What a training that was killed goes on from: its folder of resumable checkpoints, beside the checkpoint to be.

The folder is locked by the process that trains, so that no two train one checkpoint; the kernel drops the lock of one
that dies. A resumable checkpoint is written aside, flushed and renamed, so one that has its name is whole. The newest
is kept, and with it all that it takes to go on as if nothing had happened: weights, optimizer, scheduler, the position
in the data and the random states. The folder is bound to one identity, and removed when the training has ended. What is
not as it was written, by the sizes of its files, is never gone on from.

    with Resumable.alone(output, identity, waiting=print) as resumable:
        trainer.train(resume_from_checkpoint=resumable.newest())
"""

import errno
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from am_assets.runtime.quoting import quoted
from am_assets.storage.atomic import flush, locked, write_whole

PREFIX = "checkpoint-"  # as transformers names them
SIZES = "sizes.json"
FULL_BYTES = 1_000_000  # that are free on a disk that takes no more
FORGOTTEN_DAYS = 14  # after which the folder of a training that nobody went on with is removed


class CheckpointError(RuntimeError):
    """A resumable checkpoint can't be written; those before it are whole."""


class Resumable:
    """The resumable checkpoints of one training, `output` being where its student will lie."""

    def __init__(self, output: Path):
        self.folder = folder_of(output)
        self.writing = self.folder / "writing"  # what the trainer writes to

    @classmethod
    @contextmanager
    def alone(cls, output: Path, identity: str, waiting: Callable[[str], None]) -> Iterator["Resumable"]:
        """Those of `output`, for this process alone; waits for another that trains it, after a word to `waiting`.

        Checkpoints of another identity, and half-written ones, are removed first.
        """
        self = cls(output)
        while True:
            self.folder.mkdir(parents=True, exist_ok=True)
            with locked(self.folder, wait=False) as ours:
                if ours:
                    self._begin(identity)
                    try:
                        yield self
                    finally:
                        if self.newest() is None:  # nothing to go on from
                            self.clear()
                    return
            waiting(f"another process trains {output.name}: waiting for it")
            with locked(self.folder):
                pass

    def newest(self) -> Path | None:
        """The whole checkpoint of the most steps."""
        found = [path for path in self.folder.glob(f"{PREFIX}*") if _is_whole(path)]
        return max(found, key=_steps, default=None)

    def goes_on_from(self, checkpoint: Path | None, identity: str) -> None:
        """Have the checkpoint of another machine, if there is one, be the newest, and none but that."""
        self.clear()
        if checkpoint is not None:
            self.folder.mkdir(parents=True)
            write_whole(self.folder / "identity", identity)
            checkpoint.rename(self.folder / f"{PREFIX}{step_of(checkpoint)}")

    @contextmanager
    def written(self, step: int) -> Iterator[None]:
        """The block writes `<writing>/checkpoint-<step>`, which then takes the place of the checkpoints before it.

        `CheckpointError` where it can't be written, as on a full disk. What there is of it is removed.
        """
        try:
            yield
            aside = self.writing / f"{PREFIX}{step}"
            write_whole(aside / SIZES, json.dumps(_sizes(aside)))
            for path in [*sorted(aside.rglob("*")), aside]:
                flush(path)
        except Exception as error:  # torch, safetensors and the file system raise their own of a full disk
            full = _is_full(error, self.folder)  # before room is made
            shutil.rmtree(self.writing, ignore_errors=True)
            raise CheckpointError(self._cause(step, "the disk is full" if full else quoted(error))) from error
        before = list(self.folder.glob(f"{PREFIX}*"))
        aside.rename(self.folder / aside.name)
        flush(self.folder)
        for old in before:
            shutil.rmtree(old, ignore_errors=True)

    def clear(self) -> None:
        """Remove it all: the training has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self, identity: str) -> None:
        shutil.rmtree(self.writing, ignore_errors=True)
        bound = self.folder / "identity"
        if not bound.exists() or bound.read_text() != identity:
            for other in self.folder.glob(f"{PREFIX}*"):
                shutil.rmtree(other)
            write_whole(bound, identity)
        for folder in self.folder.parent.glob(folder_of(Path("*")).name):
            with suppress(FileNotFoundError):
                if folder != self.folder and time.time() - folder.stat().st_mtime > FORGOTTEN_DAYS * 86_400:
                    _remove_unless_in_use(folder)

    def _cause(self, step: int, reason: str) -> str:
        newest = self.newest()
        left = f"that of step {_steps(newest)} is whole" if newest else "there is none before it"
        free = shutil.disk_usage(self.folder).free
        return (
            f"{self.folder}: the resumable checkpoint of step {step} can't be written: {reason} ({free / 1e9:,.1f} GB"
            f" are free there); {left}. Make room and train again: it goes on from there"
        )


def folder_of(output: Path) -> Path:
    return output.with_name(f".{output.name}.resume")


def step_of(checkpoint: Path | None) -> int:
    """After how many steps a checkpoint was saved, whatever its name; 0 where there is none."""
    state = checkpoint / "trainer_state.json" if checkpoint else None
    return int(json.loads(state.read_text())["global_step"]) if state and state.exists() else 0


def _steps(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix(PREFIX))


def _sizes(checkpoint: Path) -> dict[str, int]:
    """The bytes of each file."""
    files = (path for path in sorted(checkpoint.rglob("*")) if path.is_file() and path.name != SIZES)
    return {str(path.relative_to(checkpoint)): path.stat().st_size for path in files}


def _is_whole(checkpoint: Path) -> bool:
    sizes = checkpoint / SIZES
    return sizes.exists() and json.loads(sizes.read_text()) == _sizes(checkpoint)


def _is_full(error: Exception, folder: Path) -> bool:
    """Also where a library does not say so: torch complains of a position in its file."""
    said = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return said or shutil.disk_usage(folder).free < FULL_BYTES


def _remove_unless_in_use(folder: Path) -> None:
    with locked(folder, wait=False) as abandoned:
        if abandoned:
            shutil.rmtree(folder, ignore_errors=True)
