"""Requests to teachers: the messages, the sampling parameters, and the key of each request.

A request is identified by model, messages, sampling and sample index, and by nothing else: not by the question's row,
its shard, the recipe or the endpoint. Two recipes with the same request share the answer. Sending requests belongs to
`engines/llm/`, features of the answers to `traces.py`.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Literal

import polars as pl

from am_assets.config.recipe import TeacherPolicy
from am_assets.config.samples import UntilPass
from am_assets.runtime.wording import counted
from am_assets.storage.memo import key_of

VERSION = "1"  # raise when the same policy asks otherwise
UNASKED = "unasked"  # metadata of responses: by recipe, the number of requests that a run for other recipes skipped
Kind = Literal["math", "code", "open"]
SCHEMA = {
    "request_key": pl.String,
    "question_id": pl.String,
    "teacher": pl.String,
    "sample_index": pl.UInt16,
    "messages": pl.String,
    "sampling": pl.String,
    "after": pl.String,
}


def teacher_messages(question: str, kind: Kind, policy: TeacherPolicy) -> list[dict[str, str]]:
    r"""The chat that asks `question`: system prompt, few-shot examples, and the question with the suffix of its kind on
    a line of its own.

    Open questions have no suffix: nothing checks the form of their answers.

    >>> teacher_messages("What is 2 + 2?", "math", TeacherPolicy(model="m", math_suffix="Box the answer."))
    [{'role': 'user', 'content': 'What is 2 + 2?\nBox the answer.'}]
    """
    suffix = {"math": policy.math_suffix, "code": policy.code_suffix, "open": ""}[kind]
    messages = [{"role": "system", "content": policy.system_prompt}] if policy.system_prompt else []
    for example in policy.examples:
        if example.kind in (None, kind):
            messages += [{"role": "user", "content": example.user}, {"role": "assistant", "content": example.assistant}]
    return [*messages, {"role": "user", "content": f"{question}\n{suffix}" if suffix else question}]


def sampling_of(policy: TeacherPolicy) -> dict[str, Any]:
    """The sampling parameters of a request; without `stop` if that is empty, as some providers reject an empty list."""
    sampling = policy.model_dump(include={"temperature", "top_p", "max_tokens"}) | policy.reasoning
    return sampling | ({"stop": policy.stop} if policy.stop else {})


def request_key(model: str, messages: list[dict[str, str]], sampling: dict[str, Any], sample_index: int) -> str:
    """The hash of everything that identifies a request; the order of keys in mappings does not matter."""
    return key_of(model, messages, sampling, sample_index)


def requests_table(selected: pl.DataFrame, policy: TeacherPolicy) -> pl.DataFrame:
    """The requests of `policy` for `selected` (question_id, question, has_reference, has_tests, samples).

    One row per wanted response, sorted by request_key, with the columns of TeacherRequests but `recipes`. Where the
    policy allows a retry with a higher token limit, the retry is a row too, with `after` naming the request whose
    answer has to be truncated first. Where it samples until an answer passes, samples beyond the least come `after`
    the one before; `datasets/due.py` says which are sent. A question with tests is of kind code, else one with a
    reference of kind math.
    """
    first = sampling_of(policy)
    longer = first | {"max_tokens": policy.retry_max_tokens} if policy.retry_max_tokens else None
    kind = (
        pl.when("has_tests").then(pl.lit("code")).when("has_reference").then(pl.lit("math")).otherwise(pl.lit("open"))
    )
    rows = []
    asked = selected.select("question_id", "question", kind, "samples").iter_rows()
    for question_id, question, its_kind, samples in asked:
        messages = teacher_messages(question, its_kind, policy)
        messages_json = json.dumps(messages, ensure_ascii=False)
        at_once = policy.samples.least if isinstance(policy.samples, UntilPass) else samples
        earlier = ""
        for index in range(samples):
            after = earlier if index >= at_once else ""
            for sampling in filter(None, [first, longer]):
                key = request_key(policy.model, messages, sampling, index)
                sampling_json = json.dumps(sampling, sort_keys=True, ensure_ascii=False)
                rows.append((key, question_id, policy.model, index, messages_json, sampling_json, after))
                earlier = key if sampling is first else earlier
                after = key
    return pl.DataFrame(rows, SCHEMA, orient="row").sort("request_key", "after")


def unasked(metadata: Mapping[str, Any], recipes: Collection[str]) -> str | None:
    """Why responses with this metadata have to be made again: a run for other recipes skipped requests of `recipes`."""
    left = {name: count for name, count in metadata.get(UNASKED, {}).items() if name in recipes}
    return (
        "; ".join(f"{counted(count, 'request')} of recipe {name} not asked yet" for name, count in left.items()) or None
    )
