"""What a teacher is asked, word for word, and the identity of each request.

A request is identified by model, messages, sampling and sample index, and by nothing else: not by the question's row,
its shard, the recipe that wants it or the endpoint that answers. Two recipes that ask the same thing share the answer.
How a teacher is reached belongs to `engines/llm/`, and what its answers look like to `traces.py`.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Literal

import polars as pl

from am_assets.config.recipe import TeacherPolicy
from am_assets.storage.memo import key_of

VERSION = "1"  # raise when the same policy asks otherwise
UNASKED = "unasked"  # metadata of responses: how many requests of which recipe a run for others left out
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
    """The chat that asks `question`: system prompt, worked examples as they stand, question with its kind's suffix.

    A suffix stands on a line of its own. An open question has none: nothing checks its answer's form.
    """
    suffix = {"math": policy.math_suffix, "code": policy.code_suffix, "open": ""}[kind]
    messages = [{"role": "system", "content": policy.system_prompt}] if policy.system_prompt else []
    for example in policy.examples:
        if example.kind in (None, kind):
            messages += [{"role": "user", "content": example.user}, {"role": "assistant", "content": example.assistant}]
    return [*messages, {"role": "user", "content": f"{question}\n{suffix}" if suffix else question}]


def sampling_of(policy: TeacherPolicy) -> dict[str, Any]:
    """The sampling parameters that are sent; `stop` only where there is one, as some providers refuse an empty list."""
    sampling = policy.model_dump(include={"temperature", "top_p", "max_tokens"}) | policy.reasoning
    return sampling | ({"stop": policy.stop} if policy.stop else {})


def request_key(model: str, messages: list[dict[str, str]], sampling: dict[str, Any], sample_index: int) -> str:
    """Hash of everything that identifies an answer; the order of keys inside mappings does not matter."""
    return key_of(model, messages, sampling, sample_index)


def requests_table(selected: pl.DataFrame, policy: TeacherPolicy) -> pl.DataFrame:
    """What `policy` asks about `selected` (question_id, question, has_reference, has_tests, samples).

    One row a response wanted, sorted by request_key, with the columns of TeacherRequests that the request itself has.
    Where the policy allows a further try at a higher limit, that try is a row too, `after` the request whose answer
    has to be cut off first. Tests make a question one of code, else a reference makes it one of math.
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
        said = json.dumps(messages, ensure_ascii=False)
        for index in range(samples):
            after = ""
            for sampling in filter(None, [first, longer]):
                key = request_key(policy.model, messages, sampling, index)
                sent = json.dumps(sampling, sort_keys=True, ensure_ascii=False)
                rows.append((key, question_id, policy.model, index, said, sent, after))
                after = key
    return pl.DataFrame(rows, SCHEMA, orient="row").sort("request_key", "after")


def further_tries(requests: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
    """The rows of `requests` (TeacherRequests) to be asked because the answer they come `after` was cut off.

    `answered` needs request_key and finish_reason.
    """
    cut = answered.filter(pl.col("finish_reason") == "length").select(after="request_key")
    return requests.join(cut, on="after", how="semi", maintain_order="left")


def unasked(metadata: Mapping[str, Any], recipes: Collection[str]) -> str | None:
    """Why responses with this metadata have to be made again: a run for other recipes left out requests of these."""
    left = {name: count for name, count in metadata.get(UNASKED, {}).items() if name in recipes}
    return "; ".join(f"{count} requests of recipe {name} were not asked yet" for name, count in left.items()) or None
