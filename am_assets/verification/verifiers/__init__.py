"""The ways to verify an answer: one module each, found by its name.

A module of this package declares one `VERIFIER`. A new verifier is a new module and its test; its asset, its columns
in the verified set, its drop reason and its documentation follow from the declaration.
"""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import polars as pl

from am_assets.verification.verifiers.base import Verifier

__all__ = ["VERIFIERS", "Verifier", "applicable", "module_of", "unverified"]


def _discover() -> dict[str, Verifier]:
    names = [module.name for module in iter_modules(__path__) if module.name != "base"]
    found: list[Verifier] = [import_module(f"{__name__}.{name}").VERIFIER for name in names]
    ordered = sorted(found, key=lambda verifier: (verifier.alongside, verifier.precedence, verifier.name))
    return {verifier.name: verifier for verifier in ordered}


# By name: first those of which one verifies an answer, by precedence, then those that count beside it.
VERIFIERS = _discover()


def module_of(verifier: Verifier) -> ModuleType:
    return import_module(f"{__name__}.{verifier.name}")


def applicable() -> dict[str, pl.Expr]:
    """By verifier, whether it verifies the answers to a question: an expression over RawPool."""
    wanted: dict[str, pl.Expr] = {}
    earlier = pl.lit(False)
    for verifier in VERIFIERS.values():
        wanted[verifier.name] = verifier.questions if verifier.alongside else verifier.questions & ~earlier
        earlier = earlier | verifier.questions
    return wanted


def unverified() -> pl.Expr:
    """Whether no verifier verifies the answers to a question, so that only a judge can: an expression over RawPool."""
    return ~pl.any_horizontal(verifier.questions for verifier in VERIFIERS.values())
