"""What the tests change of Python itself is changed for the program too: patches, redirected streams, seeds.

Before each request to the candidate the modules that the tests touch are compared with what they were. What can not be
carried over, as files, is looked for in `outside.py`.
"""

import os
import re
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from am_assets.engines.sandbox.guest.remote import Link
from am_assets.engines.sandbox.guest.repeats import STREAMS
from am_assets.engines.sandbox.guest.shadows import is_remote


def any_of(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b({words.replace(' ', '|')})\b")


TOUCHED = any_of(
    r"patch monkeypatch redirect_std\w+ capsys stdin stdout stderr argv builtins environ solution\.\w+(?=\s*=)"
)
TARGET = re.compile(r"""["']([A-Za-z_][\w.]*)\.\w+["']""")
BY_PROGRAM = re.compile(r"""["']solution\.([A-Za-z_]\w*)\.\w+["']""")  # a module of the program
SEEDS = ["random.seed", "numpy.random.seed"]
# Functions that look into what they are given: of an object of the program, they are called where it is.
LOOKING = {
    "dataclasses": "asdict astuple fields is_dataclass replace",
    "inspect": "getdoc getfullargspec getsource isabstract iscoroutinefunction isgeneratorfunction signature",
    "asyncio": "iscoroutinefunction",
    "typing": "get_type_hints",
}
FOLLOWED = {"sys": {*STREAMS, "argv"}}  # of a module that the interpreter itself changes


def carried(test_code: str, link: Link) -> None:
    """Carry over from here on what the tests change, as far as their text lets one expect any."""
    for name in SEEDS:
        if name.rpartition(".")[0].split(".")[-1] + ".seed" in test_code:
            mirror(name, link)
    for module, functions in LOOKING.items():
        for name in functions.split() if module in test_code else ():
            look_there(module, name, link)
    if TOUCHED.search(test_code):
        modules = {"builtins", "sys", "time", "random", "solution"}
        targets = {*TARGET.findall(test_code), *link.patched}
        link.before_asking.append(Watch(link, modules | set(filter(importable, targets))).carry)


def importable(module: str) -> bool:
    try:
        import_module(module)
    except Exception:
        return False
    return True


def mirror(name: str, link: Link) -> None:
    """Let a function have its effect in the program too."""
    module, _, function = name.rpartition(".")
    if not importable(module):
        return
    original: Callable[..., Any] = getattr(sys.modules[module], function)

    def both(*arguments: Any, **named: Any) -> Any:
        link.ask("apply", name, *arguments, **named)
        return original(*arguments, **named)

    setattr(sys.modules[module], function, both)


def look_there(module: str, name: str, link: Link) -> None:
    original: Callable[..., Any] = getattr(import_module(module), name)

    def function(*arguments: Any, **named: Any) -> Any:
        if any(map(is_remote, arguments)):
            return link.ask("apply", f"{module}.{name}", *arguments, **named)
        return original(*arguments, **named)

    setattr(sys.modules[module], name, function)


class Watch:
    """Finds out what the tests have patched."""

    def __init__(self, link: Link, modules: set[str]) -> None:
        self.link = link
        self.spaces = {name: vars(sys.modules[name]) for name in modules}
        self.before = {name: dict(space) for name, space in self.spaces.items()}
        self.environment = self.environ()
        self.known: dict[tuple[str, str], Any] = {}  # what the candidate has been told
        self.carrying = False

    def carry(self) -> None:
        """Tell the candidate of what has changed since the last request."""
        if self.carrying:
            return
        self.carrying = True
        try:
            if (environment := self.environ()) != self.environment:
                self.environment = environment
                self.link.ask("environ", environment)
            for module, space in self.spaces.items():
                before = self.before[module]
                for name, value in list(space.items()):
                    if value is not before.get(name) or (module, name) in self.known:
                        self.tell(module, name, value, name in before and value is before[name])
        finally:
            self.carrying = False

    def environ(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    def tell(self, module: str, name: str, value: Any, restored: bool) -> None:
        if name.startswith("__") or name not in FOLLOWED.get(module, (name,)):
            return
        key = module, name
        if restored:
            del self.known[key]
            self.link.ask("patch", module, name)
        elif self.known.get(key, self) is not value:
            self.known[key] = value
            self.link.ask("patch", module, name, value.write if module == "sys" and name in STREAMS[1:] else value)
