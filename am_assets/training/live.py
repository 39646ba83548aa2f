"""How many bytes of tensors are alive, seen at each operation: of real tensors, or of fake ones without data.

Imports torch, so it is imported where it is used.
"""

import weakref
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Live(TorchDispatchMode):
    """Within it, `now` is the size of all storages that were made in it and are alive, without gradients once they are
    accumulated: those are counted as what stays. `mark` begins a phase; `peaks` has the most that was alive in each."""

    def __init__(self, stay: Iterable[Any]):
        super().__init__()
        self.now = 0
        self.phase = "start"
        self.peaks: dict[str, int] = defaultdict(int)
        self.marks: dict[str, int] = {}
        self.known = weakref.WeakKeyDictionary[Any, int]()
        self._stay = weakref.WeakKeyDictionary[Any, list[bool]]()
        for one in stay:
            self.known[one.untyped_storage()] = 0
            if one.requires_grad:
                one.register_post_accumulate_grad_hook(self._stays)

    def mark(self, phase: str) -> None:
        """Phases are entered once; further calls change nothing."""
        if phase not in self.marks:
            self.phase, self.marks[phase] = phase, self.now
            self._see()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for one in tree_leaves(result):
            if hasattr(one, "untyped_storage"):
                self._made(one.untyped_storage())
        self._see()
        return result

    def _made(self, storage: Any) -> None:
        if storage not in self.known:
            self.known[storage], self._stay[storage] = storage.nbytes(), [False]
            self.now += storage.nbytes()
            weakref.finalize(storage, self._gone, storage.nbytes(), self._stay[storage])

    def _stays(self, parameter: Any) -> None:
        storage = parameter.grad.untyped_storage()
        if self.known.get(storage):
            self.now -= self.known[storage]
            self.known[storage] = 0
            self._stay[storage][0] = True

    def _gone(self, size: int, stays: list[bool]) -> None:
        if not stays[0]:
            self.now -= size

    def _see(self) -> None:
        self.peaks[self.phase] = max(self.peaks[self.phase], self.now)
