"""Functions of the tests as functions in the program, with the same parameters: a program may count or name them."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

VARIADIC, VARIADIC_NAMED = 4, 8  # flags of a code object


def described(function: FunctionType, encode: Callable[[Any], Any]) -> list[Any]:
    """Name, documentation, parameters and defaults of a function, in JSON."""
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount
    extra = iter(code.co_varnames[count:])
    return [
        function.__name__,
        function.__doc__ if isinstance(function.__doc__, str) else None,
        list(code.co_varnames[: code.co_argcount]),
        code.co_posonlyargcount,
        next(extra) if code.co_flags & VARIADIC else None,
        list(code.co_varnames[code.co_argcount : count]),
        next(extra) if code.co_flags & VARIADIC_NAMED else None,
        encode(function.__defaults__),
        encode(function.__kwdefaults__),
    ]


def stand_in(
    call: Callable[[tuple[Any, ...], dict[str, Any]], Any],
    decode: Callable[[Any], Any],
    name: str,
    doc: str | None,
    parameters: list[str],
    positional: int,
    variadic: str | None,
    keywords: list[str],
    variadic_named: str | None,
    *defaults: Any,
) -> FunctionType:
    """A function with these parameters that passes its arguments to `call`."""
    before = [*parameters[:positional], *(["/"] if positional else []), *parameters[positional:]]
    star = [f"*{variadic}"] if variadic else ["*"] if keywords else []
    after = [*keywords, *([f"**{variadic_named}"] if variadic_named else [])]
    given = [*parameters, *([f"*{variadic}"] if variadic else [])]
    named = [*(f"{each!r}: {each}" for each in keywords), *([f"**{variadic_named}"] if variadic_named else [])]
    source = f"def stand_in({', '.join([*before, *star, *after])}):\n"
    source += f"    return __call(({''.join(f'{each}, ' for each in given)}), {{{', '.join(named)}}})\n"
    space: dict[str, Any] = {"__call": call, "__name__": "solution"}
    exec(source, space)
    made: FunctionType = space["stand_in"]
    made.__name__ = made.__qualname__ = name
    made.__doc__ = doc
    made.__defaults__, made.__kwdefaults__ = map(decode, defaults)
    return made
