"""The checkers of IFEval (arXiv 2311.07911) and IFBench (arXiv 2507.02833) in strict mode, from the package
if-verifiable: rules on length, keywords, format, language.

They run in worker processes that can be killed, as a row contains regular expressions and an answer may be adversarial
to them.
"""

from functools import partial
from importlib import import_module
from typing import Any

LETTERS = "keywords:letter_frequency"
Outcome = tuple[str, bool | None, str]  # a constraint's id, whether it holds, and the reason if that is unknown


def prepare_worker() -> None:
    """Loads the checkers before the time limit of the first row starts, and disables their randomness and downloads."""
    import logging

    import langdetect
    import nltk
    import punkt

    logging.disable()  # they log the answers they cannot parse
    # NLTK would download its models. Tokens in capitals are the same without that of sentences.
    nltk.download = lambda *_, **__: False
    nltk.word_tokenize = partial(nltk.word_tokenize, preserve_line=True)
    for name in ("ifeval", "ifbench"):
        rules: Any = import_module(f"if_verifiable.{name}.instructions")
        tools: Any = rules.instructions_util
        rules.random = tools.random = None  # they would draw settings that a row leaves out
        tools._get_sentence_tokenizer = punkt.tokenizer_for
    langdetect.DetectorFactory.seed = 0
    langdetect.detect("Profiles are read now.")
    punkt.tokenizer_for()


def check(answer: str, constraints: list[dict[str, Any]]) -> list[Outcome]:
    """The outcome of each constraint ({"id", "kwargs"}); runs in a prepared worker."""
    return [_check(answer, constraint["id"], constraint["kwargs"]) for constraint in constraints]


def _check(answer: str, name: str, settings: dict[str, Any]) -> Outcome:
    from if_verifiable import ifbench, ifeval

    known = ifeval.INSTRUCTION_DICT | ifbench.INSTRUCTION_DICT
    if name not in known:
        return name, None, "unknown constraint"
    checker = known[name](name)
    sign = settings.get("letter") if name == LETTERS else None
    try:
        if isinstance(sign, str) and len(sign) == 1:  # the checker would count a random letter instead of a sign
            checker.build_description(**settings | {"letter": "a"})
            checker._letter = sign.lower()
        else:
            checker.build_description(**settings)
    except Exception:  # nothing is checked yet: only settings can raise, and any type of error
        return name, None, "unusable settings"
    try:
        return name, bool(checker.check_following(answer)), ""
    except Exception as error:
        return name, None, f"checker error {type(error).__name__}"
