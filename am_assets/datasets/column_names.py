"""What columns are called that hold questions, references, tests and responses, as `guessing.py` looks for them."""

import re

from am_assets.datasets.chats import SAID

# Names of columns without their signs and in small letters, by the field of the form, the likeliest first.
CHATS = ("messages", "conversations", "conversation", "chat", "dialog", "dialogue", "contents")
REFERENCES = (  # which mean nothing else, and so are looked for in JSON text too
    *("referenceanswer", "finalanswer", "goldanswer", "groundtruth", "groundtruthanswer", "expectedanswer"),
    *("correctanswer", "groundtrueanswer"),
)
NAMES = {
    "question": (
        *(
            "question",
            "problem",
            "prompt",
            "instruction",
            "query",
            "input",
            "task",
            "text",
            "questiontext",
            "problemtext",
        ),
        *(
            "ask",
            "problemstatement",
            "problemdescription",
            "questioncontent",
            "description",
            "exercise",
            "user",
            "human",
        ),
        *("q", "fullprompt", "userprompt", "userquery", "openendedverifiablequestion", "问题", "题目", *CHATS),
    ),
    # columns that belong to the question of another one, as in Alpaca, Dolly, SQuAD and SVAMP
    "shown_above": ("context", "passage", "body", "background", "paragraph", "document", "article", "story", "premise"),
    "shown_below": ("input",),
    "reference_answer": (
        *(
            *REFERENCES,
            "reference",
            "gold",
            "answernumber",
            "expected",
            "target",
            "answer",
            "answers",
            "label",
            "result",
            "solution",
        ),
        *("a", "答案"),
    ),
    "test_cases": (
        "testcases",
        "testcase",
        "tests",
        "testlist",
        "unittests",
        "testcode",
        "assertions",
        "asserts",
        "test",
    ),
    "test_entry_point": ("testentrypoint", "entrypoint", "functionname", "fnname"),
    "response": (
        *("response", "responses", "completion", "completions", "generation", "generations", "output", "outputs"),
        *("modelanswer", "modeloutput", "modelresponse", "generatedsolution", "assistant", "reply", "answer"),
        *("samples", "rollouts", "candidates", "predictions", "prediction", "回答", "输出"),
    ),
    "reasoning": (
        *("reasoning", "reasoningcontent", "thinking", "think", "cot", "chainofthought", "thought", "rationale"),
        *("complexcot", "reasoningtrace", "thinkingtrajectory"),
    ),
    "finish_reason": ("finishreason", "finishreasons", "stopreason"),
    "teacher": ("teacher", "model", "modelname", "generatedby", "generator", "generationmodel", "responsemodel"),
    "constraints": ("constraints",),
}


def plain(name: str) -> str:
    """The name of a column or of a field in it; that of the column where the field only says that it holds a text."""
    name = name.partition(" (")[0]  # as in `reasoning (reasoning_content)`
    path = [name] if " " in name else name.split(".")
    outer, inner = (re.sub(r"[\W_]+", "", one).lower() for one in ["", *path][-2:])
    return outer if inner in SAID and any(outer in names for names in NAMES.values()) else inner
