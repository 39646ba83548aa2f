"""The forms of data that files come in: one module a form, found by its name.

A module of this package declares one `ADAPTER`, and its name is what `adapter:` in `sources.yaml` and `benchmarks.yaml`
takes. A new form is a new module and its test; nothing else lists them. Which rows are wanted, how files are parsed and
what becomes of the rows do not belong here.
"""

from importlib import import_module
from pkgutil import iter_modules

from am_assets.datasets.adapters.base import Adapter

__all__ = ["ADAPTERS", "Adapter"]


def _discover() -> dict[str, Adapter]:
    names = sorted(module.name for module in iter_modules(__path__) if module.name != "base")
    return {name: import_module(f"{__name__}.{name}").ADAPTER for name in names}


ADAPTERS = _discover()  # by name, in alphabetical order
