"""Tokenization of a row of the dataset, and the mask of the tokens that carry loss.

The trainer and its settings belong to `sft.py`.
"""

from typing import Any

from am_assets.training.dataset import assistant_turn


def tokenize(row: dict[str, str], tokenizer: Any, system_prompt: str) -> dict[str, list[int]]:
    """Token ids of the conversation, and a mask that is 1 on the assistant's turn including its end token.

    Prompt and turn are tokenized separately, so that the prompt has the tokens it has at inference. `ValueError` for a
    chat template that changes the assistant's turn.

    >>> tokenize({"question": "2+2?", "think": "Sum.", "answer": "4"}, tokenizer, system_prompt="")
    """
    prompt = [{"role": "system", "content": system_prompt}] if system_prompt else []
    prompt = [*prompt, {"role": "user", "content": row["question"]}]
    turn = assistant_turn(row["think"], row["answer"])
    before = tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template([*prompt, {"role": "assistant", "content": turn}], tokenize=False)
    if not whole.startswith(before + turn):
        raise ValueError(
            "the student's chat template changes the assistant's turn (some cut the <think> part or open it "
            "themselves), so it can't be trained to write it: give the student folder a plain chat_template.jinja"
        )
    prompt_ids = tokenizer(before, add_special_tokens=False)["input_ids"]
    turn_ids = tokenizer(whole[len(before) :], add_special_tokens=False)["input_ids"]
    return {"input_ids": prompt_ids + turn_ids, "completion_mask": [0] * len(prompt_ids) + [1] * len(turn_ids)}
