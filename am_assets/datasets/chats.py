"""Chats of data sets: who says what is read from roles, never from positions.

A chat is a list of turns, each with its role (`role` or `from`) and what is said (`content` or `value`), as it is or as
JSON text. Objects with the speakers as their fields and messages of LangChain are read as such turns.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from am_assets.datasets.values import THOUGHT_PARTS, Fault, parsed, shown, text, typed

ROLES = {
    "system": ["system", "developer"],
    "user": ["user", "human", "prompter"],
    "assistant": ["assistant", "gpt", "model", "bot", "chatgpt", "chatbot", "ai"],
}
_ROLE_OF = {name: role for role, names in ROLES.items() for name in names}
ROLE, SAID = ("role", "from"), ("content", "value", "text", "parts")
THINKING = ("reasoning_content", "reasoning", "thinking")  # beside what is said
THOUGHTS = (*THINKING, "text", "content", "summary")  # in a part of what is said
NO_THOUGHT = (None, True, False)  # whether the model was to think
SETTINGS = frozenset(("on", "off", "true", "false", "yes", "no", "none", "low", "medium", "high"))  # likewise, as text
SPEAKERS = ("system", "human", "user", "assistant", "gpt")  # fields that are turns
MESSAGES = ("system", "human", "ai")  # types of LangChain's messages
CHANNELS = ("analysis",)  # of gpt-oss, with a thought in a turn of its own
CALLS, SAID_NAMES = frozenset(["tool_calls", "function_call"]), frozenset(SAID)
THINK, THINK_END = "<think>", "</think>"
Several = Literal["first", "reject"]
System = Literal["keep", "drop"]


class Turn(NamedTuple):
    role: str  # a key of ROLES
    said: str
    info: dict[str, Any]  # what else the data set says of the turn


class Chat(NamedTuple):
    """The first question of a chat and the answer to it."""

    question: str
    response: str | None
    infos: list[dict[str, Any]]  # of these two turns


def is_chat(value: Any) -> bool:
    """Whether a value is a list of which some item says who speaks; `read_chat` finds fault with the others."""
    return isinstance(value, list) and any(_is_roled(turn) for item in value for turn in _turns_of(item))


def has_roles(value: Any) -> bool:
    """Whether a value is a chat by the roles of its turns: a list of objects of other fields may be rows."""
    return isinstance(value, list) and any(map(_is_roled, value))


def _is_roled(turn: Any) -> bool:
    return isinstance(turn, dict) and bool(named(turn, ROLE))


def _turns_of(item: Any) -> list[Any]:
    """The turns of an item of a chat, each with its role; the item itself where it says who speaks, or nobody does."""
    if not isinstance(item, dict) or named(item, ROLE):
        return [item]
    if item.get("lc") and isinstance(item.get("kwargs"), dict) and item.get("id"):
        message = str(item["id"][-1]).removesuffix("Chunk").removesuffix("Message").lower()
        return [_of_langchain(message, item["kwargs"])]
    if item.get("type") in MESSAGES and not item.keys().isdisjoint(("data", "content")):
        return [_of_langchain(item["type"], item["data"] if isinstance(item.get("data"), dict) else item)]
    return [*_of_speakers(item)] or [item]


def _of_langchain(role: str, said: Mapping[str, Any]) -> dict[str, Any]:
    more = said.get("additional_kwargs")
    return {**said, **(more if isinstance(more, dict) else {}), "role": role}


def _of_speakers(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The turns of an object with a question and its answer by their speakers, or with one of them alone."""
    there = {name.lower(): said for name, said in item.items() if said is not None}
    spoken = {name: there[name] for name in SPEAKERS if isinstance(there.get(name), str)}
    roles = {speaker(name) for name in spoken}
    if {"user", "assistant"} <= roles or (spoken and len(there) == 1):
        beside = {name: there[name] for name in THINKING if name in there}
        for name, said in spoken.items():
            yield {**(beside if speaker(name) == "assistant" else {}), "role": name, "content": said}


def read_chat(value: Any, several: Several | None, system: System = "drop") -> Chat:
    """The question and the answer of a chat. A system prompt that is kept stands before the question. `Fault` where it
    has none, an unknown role, or more turns than these two, of which the first count where `several` is `first`."""
    turns = _turns(parsed(value) or [])
    told = [turn.said for turn in turns if turn.role == "system" and turn.said.strip() and system == "keep"]
    turns = [turn for turn in turns if turn.role != "system"]
    if not turns:
        raise Fault("an empty chat")
    if turns[0].role != "user":
        raise Fault("a chat that the assistant begins")
    if len(turns) > 2 and several != "first":
        raise Fault("a chat of several turns; `turns: first` reads the first question and its answer")
    if len(turns) > 1 and turns[1].role != "assistant":
        raise Fault("a chat with two questions in a row")
    asked = "\n\n".join([*told, turns[0].said])
    return Chat(asked, turns[1].said if len(turns) > 1 else None, [turn.info for turn in turns[:2]])


def is_reply(value: Any) -> bool:
    """Whether a value is a chat in which the assistant alone speaks."""
    turns = [turn for item in value for turn in _turns_of(item) if isinstance(turn, dict)] if is_chat(value) else []
    roles = [turn[spoken] for turn in turns if (spoken := named(turn, ROLE))]
    return bool(roles) and all(speaker(role) == "assistant" for role in roles)


def reply(value: Any) -> str | None:
    """A response: text, content parts with their thinking, or a chat of nothing but the assistant's turn. `Fault` for
    another chat."""
    if not is_chat(value):
        said = text(value)
        return said if said is None else with_thinking(next(iter(_thoughts(value)), None), said)
    turns = _turns(value)
    if [turn.role for turn in turns] != ["assistant"]:
        raise Fault("expected one turn of the assistant")
    return turns[0].said


def with_thinking(thinking: str | None, said: str) -> str:
    """A response as one text: thinking that stands apart becomes the think part of one that has none."""
    bare = (thinking or "").strip()
    thought = bare.removeprefix(THINK).removesuffix(THINK_END)
    if not thought.strip() or THINK_END in said or thought.strip().lower() in SETTINGS:
        return said
    return f"{THINK}{thinking if thought == bare else thought}{THINK_END}{said}"


def _turns(value: list[Any]) -> list[Turn]:
    """The turns of a chat. Thinking before a turn, an item of its own in OpenAI's Responses, belongs to that turn."""
    turns, thought = list[Turn](), ""
    for one in (turn for item in value for turn in _turns_of(item)):
        if isinstance(one, dict) and one.get("type") in THOUGHT_PARTS and not named(one, ROLE):
            thought += "".join(_thoughts([one]))
            continue
        turn = _turn(one)
        if one.get("channel") in CHANNELS and turn.role == "assistant":
            thought += turn.said
            continue
        turns.append(turn._replace(said=with_thinking(thought, turn.said)))
        thought = ""
    return turns


def _turn(turn: Any) -> Turn:
    if not isinstance(turn, dict) or not (spoken := named(turn, ROLE)):
        raise Fault("a chat with a turn that has no role")
    role = speaker(turn[spoken])
    if role is None:
        raise Fault(f"a chat with a turn of role {shown(turn[spoken])}")
    if not CALLS.isdisjoint(turn) and any(turn.get(name) for name in CALLS):
        raise Fault("a chat with a turn that calls a tool")
    if turn.get("status") == "incomplete":  # of OpenAI's Responses
        raise Fault("a chat with a turn that is cut off")
    if SAID_NAMES.isdisjoint(turn):
        raise Fault("a chat with a turn that has no content")
    content = typed(turn.get(named(turn, SAID)))
    said = text(content) or ""
    info = turn.get("info")
    return Turn(role, with_thinking(thinking(turn, content), said), info if isinstance(info, dict) else turn)


def speaker(role: Any) -> str | None:
    """The key of ROLES that a role is a spelling of."""
    return _ROLE_OF.get(str(role).strip().lower())


def thinking(turn: Mapping[str, Any], content: Any) -> str | None:
    """What a turn thinks, beside what it says or among the parts of that."""
    beside = [text(turn[name]) for name in THINKING if turn.get(name) not in NO_THOUGHT] + _thoughts(content)
    return next(iter(beside), None)


def _thoughts(content: Any) -> list[str]:
    """The thinking among content parts, as one text."""
    if not isinstance(content, list):
        return []
    parts = [part for part in content if isinstance(part, dict) and part.get("type") in THOUGHT_PARTS]
    found = [part.get(named(part, THOUGHTS)) for part in parts]
    listed = [one for thought in found for one in (thought if isinstance(thought, list) else [thought])]
    said = [text(one.get("text") if isinstance(one, dict) else one) or "" for one in listed if one is not None]
    return ["".join(said)] if said else []


def named(turn: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of the names that holds something, as Parquet gives turns the fields of all spellings; else empty."""
    for name in names:  # no generator: this runs five times a turn
        if turn.get(name) is not None:
            return name
    return ""
