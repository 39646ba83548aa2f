"""The delimiters of reasoning models: the literal tags that begin and end a thought, and those around an answer."""

from typing import NamedTuple


class Delimiters(NamedTuple):
    """The literal tags of one family of models. Those around the answer are optional in a response."""

    think: str
    answering: str  # ends the think part
    answer: str = "<answer>"
    ending: str = "</answer>"
    others: tuple[str, ...] = ()  # names of other tags around the answer


def spelled(name: str, *others: str) -> list[Delimiters]:
    """The family of `<name>`, in the cases that models write it in."""
    return [
        Delimiters(f"<{case(name)}>", f"</{case(name)}>", f"<{case('answer')}>", f"</{case('answer')}>",
                   tuple(map(case, others)))
        for case in (str.lower, str.upper, str.capitalize)
    ]  # fmt: skip


FAMILIES = [
    *spelled("think", "response"),  # R1, QwQ, Qwen 3 and most others; Granite 3.3 and ERNIE with <response>
    *spelled("thinking", "output"),  # Reflection
    *spelled("thought", "output"),  # EXAONE Deep, Gemini; Marco-o1 with <Output>
    *spelled("reasoning", "solution"),
    Delimiters("<seed:think>", "</seed:think>"),  # Seed-OSS
    Delimiters("[THINK]", "[/THINK]"),  # Magistral
    Delimiters("◁think▷", "◁/think▷"),  # Kimi
    Delimiters("<|channel>thought", "<channel|>"),  # Gemma 4
    Delimiters("<unused94>thought", "<unused95>"),  # MedGemma
    Delimiters("<longcat_think>", "</longcat_think>"),  # LongCat-Flash
    Delimiters("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),  # Command A
    Delimiters(  # Sky-T1, OpenThoughts
        "<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>"
    ),
    Delimiters("<|im_start|>think", "<|im_start|>answer"),  # s1
    Delimiters("<start_working_out>", "<end_working_out>", "<SOLUTION>", "</SOLUTION>"),  # as GRPO is often taught
]
PAPER = FAMILIES[0]  # whose <answer> the paper asks for, and which other forms are read into
# Thoughts under a heading: how a response begins, the regular expression of what ends its think part, and what ends its
# answer.
HEADED = [
    ("Here is my thought process:", r"Here(?:'s| is) my response:", ""),  # Granite 3.2
    ("Here's my thought process:", r"Here(?:'s| is) my response:", ""),
    ("## Thinking\n", r"\n## Final Response\n", ""),  # HuatuoGPT-o1
    ("Thinking...\n", r"\n\.\.\.done thinking\.(?:\n|$)", ""),  # what `ollama run` prints
    ("Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]", "[END FINAL RESPONSE]"),  # Apriel
    ("analysis", "assistantfinal", ""),  # gpt-oss, served with its special tokens skipped
]
DETAILS = '<details type="reasoning"'  # how Open WebUI writes a thought, and a call of a tool by another type
# What a response that thinks has in it, however it is cut off or garbled.
TAGS = [
    *(tag for one in FAMILIES for tag in (one.think, one.answering)),
    *(begin for begin, _, _ in HEADED[:-1]),
    HEADED[-1][1],  # whose beginning is a word of others
    "<|channel|>",
    DETAILS,
]
# What an answer that stands alone has not: another turn, calls of tools, another channel.
MORE = [
    *("<|im_start|>", "<|start_header_id|>", "<|header_start|>", "<|start_of_role|>", "<start_of_turn>", "[INST]"),
    *("<\uff5cUser\uff5c>", "<\uff5cAssistant\uff5c>", "<|user|>", "<|assistant|>", "[|user|]", "[|assistant|]"),
    *("<tool_call>", "<|tool_call", "<\uff5ctool▁call", "[TOOL_CALLS]", "<|python_tag|>", "<function_calls>"),
    *("<minimax:tool_call>", "<\uff5cDSML\uff5c", "<|channel|>", "<|turn>"),
]
