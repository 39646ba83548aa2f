"""One end of the channel, the same in judge and candidate: operations on objects of the other side.

A request is [operation, operands, named operands, which of what is kept is used, changes of it]; while it waits for the
answer a side serves requests of the other. An answer is ["returned", form, changes, what is kept] or ["raised", form,
trace, cause, changes, what is kept]; changes are number and new content of what was changed in place.
"""

from _thread import RLock
from typing import Any

from am_assets.engines.sandbox.guest.kept import Kept
from am_assets.engines.sandbox.guest.operations import OPERATIONS, replace_content
from am_assets.engines.sandbox.guest.references import References
from am_assets.engines.sandbox.guest.shadows import Here
from am_assets.engines.sandbox.guest.wire import (
    Channel,
    Flooded,
    Form,
    Gone,
    Shared,
    content_form,
    decoded,
    holds_content,
)


class Broken(Exception):
    """A message violates the protocol."""


class Peer(References):
    """This process's end of the channel."""

    operations = OPERATIONS
    keeps_specials = False  # operators that are given to a class of the other side are set here alone

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.channel = channel
        self.turn = RLock()  # of the threads that ask
        self.theirs, self.ours = Kept([], self.form), Kept([], self.form)  # of what was exchanged
        self.left: tuple[list[Any], list[int]] = [], []  # by the last operation: what it changed, what is kept
        Here.peer = self

    # --- asking

    def get(self, value: Any, name: str) -> Any:
        return self.ask("get", value, name)

    def construct(self, kind: type, *arguments: Any, **named: Any) -> Any:
        return self.ask("call", kind, *arguments, **named)

    def derived(self, name: str, bases: tuple[type, ...], space: dict[str, Any], **named: Any) -> type:
        raise TypeError(f"{name} can not be derived here")

    def operate(self, name: str, owner: type | None, value: Any, *operands: Any, **named: Any) -> Any:
        """The result of an operator of `value`, as the class `owner` defines it."""
        if name == "__call__":
            return self.ask("call", value, *operands, **named)
        return self.ask("special", owner, name, value, *operands, **named)

    def content(self, value: Any) -> Any:
        """The plain content of an object whose class is derived from a plain type."""
        return self.ask("content", value)

    def refusal(self, what: str) -> BaseException:
        """What is raised where an operation can't be carried to the other side."""
        return TypeError(what)

    def copied(self, function: str, value: Any) -> Any:
        return self.ask("apply", function, value)

    def ask(self, operation: str, *operands: Any, **named: Any) -> Any:
        """The result of an operation on the other side; raises what it raised there."""
        used, changed = self.theirs.used()
        kept = self.theirs = self.theirs.only(used)
        changes = [[number, content_form(kept.values[number], self.refer, None)] for number in changed]
        shared = Shared(kept.values)
        forms = [self.encode(operand, shared) for operand in operands]
        named_forms = {name: self.encode(value, shared) for name, value in named.items()}
        return self.exchange([operation, forms, named_forms, used, changes], shared)

    def exchange(self, message: list[Any], shared: Shared) -> Any:
        self.send(message)
        while (answer := self.channel.receive())[0] not in ("returned", "raised"):
            self.send(self.answer(*answer))
        return self.understood(shared, *answer)

    def send(self, message: list[Any]) -> None:
        self.channel.send(message)

    def understood(self, shared: Shared, word: str, *content: Any) -> Any:
        """The result in an answer, after changes in place are applied; raises what was raised."""
        try:
            *said, changed, kept = content
            updates = self.updates(changed, shared)
            result = self.decode(said[0], shared)
            for value, after in updates:
                replace_content(value, after)
            self.theirs = Kept([shared.one(number) for number in kept], self.form)
            if word == "returned":
                return result
            _, trace, cause = said
            if not isinstance(result, BaseException):
                raise ValueError("no exception")
            result.__cause__ = self.decode(cause)
            self.traced(str(trace))
        except Exception as broken:
            raise Broken from broken
        raise result

    def updates(self, changed: list[Any], shared: Shared) -> list[tuple[Any, Any]]:
        return [(shared.one(number), decoded(kind, after, self.resolve, shared)) for number, (kind, *after) in changed]

    def traced(self, trace: str) -> None:
        """Called with the trace of an exception on the other side."""

    # --- serving

    def answer(self, operation: str, *content: Any) -> list[Any]:
        """The answer to a request."""
        self.left = [], []
        try:
            operands, named, used, changes = content
            self.ours = self.ours.only(used)
            self.left = [], [*range(len(used))]
            for value, after in self.updates(changes, Shared(self.ours.values)):
                replace_content(value, after)
            self.ours.changes()
            return ["returned", self.perform(operation, operands, named), *self.left]
        except (Gone, Flooded, Broken):
            raise
        except BaseException as error:
            return [*self.raised(error), *self.left]

    def raised(self, error: BaseException) -> list[Any]:
        """The answer to a request that failed; the trace is for a person."""
        return ["raised", self.encode(error), "", self.encode(error.__cause__)]

    def perform(self, operation: str, operands: list[Form], named: dict[str, Form]) -> Form:
        """The form of the result. What was changed in place, and what is kept, is `left`."""
        kept = self.ours
        shared = Shared(kept.values)
        values = [self.decode(operand, shared) for operand in operands]
        options = {name: self.decode(form, shared) for name, form in named.items()}
        sent = list(zip([*values, *options.values()], [*operands, *named.values()], strict=True))
        given = range(len(kept.values), len(shared.values))
        try:
            result = self.operations[operation](*values, **options)
        finally:
            self.ours = kept
            self.left = self.changes(given, sent, shared), [*range(len(kept.values))]
        form = self.encode(result, shared)
        tops = [shared.numbers.get(id(value), -1) for value in (*values, *options.values(), result)]
        del values, options, sent, result
        numbers = self.held(shared, {number for number in tops if number >= 0})
        self.ours = Kept([shared.values[number] for number in numbers], self.form)
        self.left = self.left[0], numbers
        return form

    def changes(self, given: range, sent: list[tuple[Any, Form]], shared: Shared) -> list[Any]:
        """Number and content of what is kept and is not as it was; and of all that was `given` with the operands, where
        one of them is not as it was `sent`."""
        again = Shared(self.ours.values)  # numbers as `shared` did
        same = all([self.form(value, again) == form for value, form in sent if holds_content(form)])
        numbers = [*self.ours.changes(), *([] if same else given)]
        return [[number, content_form(shared.values[number], self.refer, shared)] for number in numbers]

    def held(self, shared: Shared, numbers: set[int]) -> list[int]:
        """Those of the numbers whose values are kept."""
        return []
