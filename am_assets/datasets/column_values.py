"""Which columns of one's own files hold questions, references, tests and responses, by their names and values."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from am_assets.datasets.adapters.base import boxed_reference
from am_assets.datasets.chats import is_chat
from am_assets.datasets.column_names import NAMES, REFERENCES, plain
from am_assets.datasets.objects import is_objects
from am_assets.datasets.values import begins_to_think, parsed, thinks

SOLUTION = "solution"  # a column of it is an answer where it is short, a response where it thinks, and else neither
TESTS = "test"  # in the name of a column: what is in it neither asks nor answers
OPTIONS = frozenset({"choices", "options", "option", "endings"})  # of multiple choice, which are not shown
UNFIT = re.compile(r"test|reject|wrong|incorrect|bad")  # in the name of a column: no responses to be released
JUDGED = frozenset({"label", "result"})  # columns that may say in these words how a response fared, or how hard it was
VERDICTS = frozenset(
    {*("0", "1", "0.0", "1.0", "true", "false", "pass", "fail", "passed", "failed", "correct", "incorrect")}
    | {"right", "wrong", "error", "timeout", "easy", "medium", "hard"}
)
SAYS = frozenset({"response", "completion", "output", "回答", "输出"})  # answers where they are numbers
SHORT = 40  # wide: a column of nothing longer has answers to compare with, and no responses
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # a character that says as much as two of others
SENTENCE = re.compile(r"\w+,? \w[^\n]*[.!?]|.*[\u3040-\u30ff\u3400-\u9fff].*[\u3002\uff01\uff1f!?]", re.DOTALL)


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The paths of the fields of OWN, by the names and the values of columns."""
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            within = {} if TESTS in plain(name) else _struct(value)
            for path, one in [(name, value), *((f"{name}.{key}", inner) for key, inner in within.items())]:
                if there(one):
                    values.setdefault(path, []).append(one)
    found: dict[str, str] = {}
    options = {path for path in values if plain(path) == "a"} if "b" in map(plain, values) else set()
    for field, names in NAMES.items():
        fitting = [path for path in values if plain(path) in names and not _is_read(path, {*found.values(), *options})]
        fitting = [path for path in fitting if _fits(field, path, values[path])]
        if fitting:
            order = {path: (names.index(plain(path)), path.count(".")) for path in fitting}
            long = {path for path in fitting if field == "reference_answer" and _is_long(path, values[path])}
            found[field] = min(fitting, key=lambda path: (path in long, *order[path]))
    if "test_cases" in found and plain(found.get("reference_answer", "")) == SOLUTION:
        del found["reference_answer"]  # a program
    if "response" not in found and (text := found.get("reference_answer")) and _responds(values[text]):
        found["response"] = found.pop("reference_answer")
    elif (
        not {"reference_answer", "test_cases"} & found.keys()
        and (text := found.get("response"))
        and _answers(values[text])
        and not _sentences(values[text])
    ):
        found["reference_answer"] = found.pop("response")
    if "reference_answer" in found and "reasoning" not in found and _repeats(found.get("response"), values):
        del found["response"]
    if not {"reference_answer", "test_cases"} & found.keys():
        numbers = [path for path in values if plain(path) in SAYS and all(map(_is_number, values[path]))]
        found.update(zip(["reference_answer"], numbers, strict=False))
    if "response" not in found and (thinking := _thinking(values, found.values())):
        found["response"] = thinking
    if "response" in found and not {"reference_answer", "test_cases"} & found.keys():
        solutions = [path for path, several in values.items() if _boxes(path, several)]
        found.update(zip(["reference_answer"], solutions, strict=False))
    return found


def _thinking(values: Mapping[str, Sequence[Any]], read: Iterable[str]) -> str | None:
    """The first column that is not read, whatever its name, of which most begin with a thought; prompts only tell of
    such tags."""
    for path, several in values.items():
        thoughts = sum(isinstance(one, str) and begins_to_think(one) for one in several)
        if 2 * thoughts > len(several) and not _is_read(path, read) and not UNFIT.search(plain(path)):
            return path
    return None


def _repeats(path: str | None, values: Mapping[str, Sequence[Any]]) -> bool:
    """Whether a column `answer` is read as responses and has short answers, as that of the references beside it."""
    return path is not None and plain(path) == "answer" and _answers(values[path])


def _boxes(path: str, values: Sequence[Any]) -> bool:
    """Whether a column is of worked solutions that box their answers."""
    return plain(path) == SOLUTION and all(isinstance(one, str) and boxed_reference(one)[0] for one in values)


def _is_long(path: str, values: Sequence[Any]) -> bool:
    """Whether a column `answer` or `reference` holds something else than answers, so that another is likelier to."""
    return plain(path) in ("answer", "answers", "reference") and not _answers(values)


def _is_read(path: str, read: Iterable[str]) -> bool:
    """Whether a path, or one within it, is read as something else."""
    return any(one == path or one.startswith(f"{path}.") for one in read)


def _struct(value: Any) -> Mapping[str, Any]:
    """The fields of a struct; of one in JSON text the references."""
    if isinstance(value, dict):
        return value
    found = parsed(value) if isinstance(value, str) and value.startswith("{") else None
    return {key: one for key, one in found.items() if plain(key) in REFERENCES} if isinstance(found, dict) else {}


def _fits(field: str, path: str, values: Sequence[Any]) -> bool:
    """Whether the values of a column can be those of a field, so far as their kind tells."""
    if plain(path.partition(".")[0]) in OPTIONS:
        return False
    if plain(path) == SOLUTION and not _answers(values):
        return any(thinks(str(one)) for one in values)
    if field == "reference_answer" and plain(path) in JUDGED:
        return not all(str(one).strip().lower() in VERDICTS for one in values)
    if field == "reference_answer" and any(isinstance(parsed(one), dict) for one in values):
        return False
    if field.startswith("shown_"):
        return all(isinstance(one, str) for one in values)
    if field == "question" and any(isinstance(one, list) and not isinstance(one[0], dict) for one in values):
        return False
    if field == "response" and any(map(is_objects, values)):
        return True
    if field in ("question", "response"):
        return all(isinstance(one, str | list) and not _numbers(one) for one in values)
    if field == "test_cases":
        return all(isinstance(one, str | list | dict) for one in values)
    return field in ("constraints", "finish_reason") or not any(isinstance(one, dict) or is_chat(one) for one in values)


def _numbers(value: Any) -> bool:
    return (
        isinstance(value, list) and not is_chat(value) and not all(isinstance(one, str | dict | None) for one in value)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _responds(values: Sequence[Any]) -> bool:
    """Whether texts are responses of a model, which think or go on for some lines."""
    return any(thinks(text := str(one)) or ("\n" in text.strip() and len(text) > 5 * SHORT) for one in values)


def _answers(values: Sequence[Any]) -> bool:
    """Whether texts are answers to compare with, and no responses."""
    lines = [str(one).strip() for one in values if not is_chat(one)]
    return (
        len(lines) == len(values)
        and not _responds(values)
        and all(len(line) + len(WIDE.findall(line)) <= SHORT and "\n" not in line for line in lines)
    )


def _sentences(values: Sequence[Any]) -> bool:
    """Whether most texts are sentences: what a model says, however short."""
    return 2 * sum(bool(SENTENCE.fullmatch(str(one).strip())) for one in values) > len(values)


def there(value: Any) -> bool:
    return value is not None and value != "" and value != []
