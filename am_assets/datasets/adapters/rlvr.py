"""Questions of Tulu 3 and IFBench for reinforcement learning: a chat, and what checks its answer."""

from collections.abc import Iterator
from typing import Any

from am_assets.datasets.adapters.base import Adapter, Fault, Field, Item, Row, any_of, constraints
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import BY_PYTHON, written

# The constraints of IFEval by Tulu's functions, with their settings. One that counts otherwise is not in it, and so
# unknown to the verifier under its own name.
NAMED: dict[str, tuple[str, dict[str, str]]] = {
    "verify_keywords": ("keywords:existence", {"keywords": "keyword_list"}),
    "validate_forbidden_words": ("keywords:forbidden_words", {"forbidden_words": "forbidden_words"}),
    "validate_response_language": ("language:response_language", {"language": "language"}),
    "validate_paragraphs": (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": "N", "nth_paragraph": "i", "first_word": "first_word"},
    ),
    "verify_postscript": ("detectable_content:postscript", {"postscript_marker": "postscript_marker"}),
    "validate_placeholders": ("detectable_content:number_placeholders", {"num_placeholders": "N"}),
    "verify_bullet_points": ("detectable_format:number_bullet_lists", {"num_bullets": "N"}),
    "validate_title": ("detectable_format:title", {}),
    "validate_highlighted_sections": ("detectable_format:number_highlighted_sections", {"num_highlights": "N"}),
    "validate_sections": (
        "detectable_format:multiple_sections",
        {"section_spliter": "section_splitter", "num_sections": "N"},
    ),
    "validate_json_format": ("detectable_format:json_format", {}),
    "validate_repeat_prompt": ("combination:repeat_prompt", {"prompt_to_repeat": "original_prompt"}),
    "validate_two_responses": ("combination:two_responses", {}),
    "validate_uppercase": ("change_case:english_capital", {}),
    "validate_lowercase": ("change_case:english_lowercase", {}),
    "validate_end": ("startend:end_checker", {"end_phrase": "end_phrase"}),
    "validate_quotation": ("startend:quotation", {}),
    "validate_no_commas": ("punctuation:no_comma", {}),
}
COUNTED = {  # at least, at most or around N
    "validate_word_constraint": ("length_constraints:number_words", "num_words", "relation"),
    "verify_sentence_constraint": ("length_constraints:number_sentences", "num_sentences", "relation"),
    "validate_frequency_capital_words": ("change_case:capital_word_frequency", "capital_frequency", "capital_relation"),
}
SENTENCES = "verify_sentence_constraint"  # around: one more or less; of the others a tenth


def read(row: Row) -> Item:
    chat = row.chat("messages")
    truth = row.of("ground_truth", _object)
    asked = row.of("ground_truth", lambda _: constraints(_asked(truth)))
    asserts = isinstance(truth, list) and any("assert" in str(one) for one in truth) and not asked
    tests = row.of("ground_truth", lambda _: canonical(truth)) if asserts else None
    reference = None if asked or tests else any_of(row.scalars("ground_truth"))
    responses = [] if chat.response is None else [chat.response]
    return Item(chat.question, reference, tests, asked, [(None, one) for one in responses])


def _object(truth: Any) -> Any:
    """What a text holds as JSON, or as Python wrote it."""
    found = written(truth)
    if isinstance(found, str) and found.lstrip().startswith(BY_PYTHON):
        raise Fault("constraints that can't be read")
    return found


def _asked(truth: Any) -> Iterator[dict[str, Any]]:
    if isinstance(truth, dict) and isinstance(name := truth.get("func_name"), str):
        yield from _of_function(name, truth)
    for one in truth if isinstance(truth, list) else []:
        if isinstance(one, dict):
            names, settings = one.get("instruction_id") or [], one.get("kwargs") or []
            yield from ({"id": name, "kwargs": kwargs} for name, kwargs in zip(names, settings, strict=True))


def _of_function(name: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if name in COUNTED:
        known, number, relation = COUNTED[name]
        count = given["N"]
        off = 1 if name == SENTENCES else max(round(count * 0.1), 1)
        least, most = {
            "at least": (count, None),
            "at most": (None, count),
            "around": (count - off, count + off),
        }[given["quantifier"]]
        if least is not None:
            yield {"id": known, "kwargs": {number: least, relation: "at least"}}
        if most is not None:
            yield {"id": known, "kwargs": {number: most + 1, relation: "less than"}}
    else:
        known, fields = NAMED.get(name, (name, {}))
        yield {"id": known, "kwargs": {setting: given.get(field) for setting, field in fields.items()}}


ADAPTER = Adapter(
    {"messages": Field("messages", required=True), "ground_truth": Field("ground_truth", required=True)},
    read,
    version="1",
    doc="[Tulu 3's](https://huggingface.co/datasets/allenai/RLVR-GSM-MATH-IF-Mixed-Constraints) questions for"
    " reinforcement learning and [IFBench's](https://huggingface.co/datasets/allenai/IF_multi_constraints_upto5):"
    " a reference, constraints or assertions",
    signature=("messages", "ground_truth", "dataset"),
    example={
        "messages": [{"role": "user", "content": "Compute 17+25."}],
        "ground_truth": "42",
        "dataset": "MATH",
        "constraint_type": None,
        "constraint": None,
    },
)
