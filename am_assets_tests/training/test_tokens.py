"""Which tokens of a row carry loss, and chat templates that can't be trained with."""

from pathlib import Path

import pytest

from am_assets.engines.models.bundled import BUNDLED
from am_assets.engines.models.student import student_folder
from am_assets.training import tokenized as module
from am_assets.training.tokenized import IGNORED, lengths, tokenized
from am_assets.training.tokens import Template, TemplateError
from am_assets_tests.students import TEMPLATE
from am_assets_tests.training.jobs import write_rows

TURN = "<think>One more.</think>\n<answer>2</answer>"
ROW = ("1 + 1?", TURN)
GOOD = {
    "plain": TEMPLATE,
    "a line break after the end": TEMPLATE.replace("<|end|>'", "<|end|>\\n'"),
    "an end of the turn and one of the text": TEMPLATE + "{{ '' if add_generation_prompt else '\\n<|user|>' }}",
    "the think part cut off turns that it shows": TEMPLATE.replace("m.content", "m.content.split('</think>')[-1]"),
    "an empty think part in turns that it shows": TEMPLATE.replace(
        "m.content", "('<think>\\n\\n</think>\\n\\n' if m.role == 'assistant' else '') + m.content"
    ),
    "a blank before turns that it shows": TEMPLATE.replace(
        "m.content", "(' ' if m.role == 'assistant' else '') + m.content"
    ),
    "a default system prompt": "{% if messages[0].role != 'system' %}{{ '<|system|>Help.<|end|>' }}{% endif %}"
    + TEMPLATE,
}
BAD = {
    "closes the think part": (
        TEMPLATE.replace("{{ '<|assistant|>' }}", "{{ '<|assistant|><think>\\n\\n</think>\\n\\n' }}"),
        "closes the <think> part before the assistant's turn begins",
    ),
    "asks for no turn": (TEMPLATE.split("{% if")[0], "begins the assistant's turn with .* where it asks for one, and"),
    "has a channel": (TEMPLATE.replace("|>' + m", "|><|final|>' + m"), "so nothing says what it is to learn"),
    "shows no turn": (
        TEMPLATE.replace("%}{{ '<|' +", "if m.role != 'assistant' %}{{ '<|' +"), "so nothing says what it is to learn",
    ),
    "leaves out the system prompt": (
        TEMPLATE.replace("%}{{ '<|' +", "if m.role != 'system' %}{{ '<|' +"),
        "leaves out what a message of system says: leave training.system_prompt empty",
    ),
    "never ends a turn": (TEMPLATE.replace(" + '<|end|>'", ""), "would never learn to stop"),
    "ends a turn with words": (TEMPLATE.replace("<|end|>", "That is all."), "would never learn to stop"),
    "knows no system role": (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE,
        "fails on a conversation of system, user: no system; leave training.system_prompt empty",
    ),
    "is none": (None, "has no chat template"),
}  # fmt: skip


def a_template(student: Path, text: str | None, system_prompt: str = "Be brief.") -> Template:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(student)
    tokenizer.chat_template = text
    return Template(tokenizer, system_prompt)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_the_loss_lies_on_the_assistants_turn_and_its_end_only(tiny_student: Path, text: str) -> None:
    template = a_template(tiny_student, text)
    [(prompt, turn)] = template.tokenize([ROW])
    assert template.tokenizer.decode(turn) == TURN + "<|end|>"
    given = template.tokenizer.decode(prompt).replace("\n", "")
    assert given == "<|system|>Be brief.<|end|><|user|>1 + 1?<|end|><|assistant|>"
    assert template.end_token() == template.tokenizer.eos_token_id


@pytest.mark.parametrize("opening", ["<think>", "<think>\\n"])
def test_where_the_prompt_opens_the_think_part_the_turn_begins_after_it(tiny_student: Path, opening: str) -> None:
    text = TEMPLATE.replace("<|assistant|>' }}", f"<|assistant|>{opening}' }}}}")
    template = a_template(tiny_student, text.replace("m.content", "m.content.split('</think>')[-1]"))
    [(prompt, turn)] = template.tokenize([ROW])
    assert template.tokenizer.decode(prompt).rstrip().endswith("<|assistant|><think>")
    assert template.tokenizer.decode(turn) == TURN.removeprefix("<think>") + "<|end|>"


def test_an_end_token_that_a_turn_quotes_is_text_and_ends_nothing(tiny_student: Path) -> None:
    template = a_template(tiny_student, TEMPLATE)
    turn = "<think>Models stop at <|end|>.</think>\n<answer>At <|end|><|user|></answer>"
    [(_, ids)] = template.tokenize([("When?", turn)])
    assert template.tokenizer.decode(ids) == turn + "<|end|>"
    assert [one for one in ids if one in template.tokenizer.all_special_ids] == [template.end_token()]


# trl's copies of published templates: how a prompt ends, and the token that ends a turn
FAMILIES = {
    "qwen2_5": ("<|im_start|>assistant\n", "<|im_end|>"),
    "qwen3": ("<|im_start|>assistant\n", "<|im_end|>"),
    "qwen3_5_think": ("<|im_start|>assistant\n<think>\n", "<|im_end|>"),
    "llama3": ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    "llama3_2": ("<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"),
    "gemma3": ("<start_of_turn>model\n", "<end_of_turn>"),
    "phi3": ("<|assistant|>\n", "<|end|>"),
    "deepseek_r1_distill": ("<\uff5cAssistant\uff5c><think>\n", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
    "nemotron_3_nano": ("<|im_start|>assistant\n<think>\n", "<|im_end|>"),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_students_of_many_families_learn_the_whole_turn(tiny_student: Path, family: str) -> None:
    import trl

    begins, ends = FAMILIES[family]
    template = a_template(tiny_student, (Path(trl.__file__).parent / "chat_templates" / f"{family}.jinja").read_text())
    template.tokenizer.add_special_tokens({"bos_token": "<s>", "extra_special_tokens": [ends]})
    [(prompt, turn)] = template.tokenize([ROW])
    written = TURN.removeprefix("<think>") if "<think>" in begins else TURN
    assert template.tokenizer.decode(turn) == written + ends
    said = template.tokenizer.decode(prompt)
    assert said.endswith(begins) and "Be brief." in said and "1 + 1?" in said


@pytest.mark.parametrize(("text", "says"), BAD.values(), ids=BAD)
def test_a_template_that_can_not_be_trained_with_is_refused(tiny_student: Path, text: str | None, says: str) -> None:
    with pytest.raises(TemplateError, match=says):
        a_template(tiny_student, text).tokenize([ROW])


@pytest.mark.model
def test_the_embedded_student_learns_to_end_its_turn_and_not_what_follows(exported: Path) -> None:
    from transformers import AutoTokenizer

    template = Template(AutoTokenizer.from_pretrained(student_folder(BUNDLED, exported)), "")
    [(_, turn)] = template.tokenize([ROW])
    assert template.tokenizer.decode(turn) == TURN + "<|im_end|>"


def decoded(student: Path, dataset) -> list[tuple[str, str]]:
    """(all of a row, what of it carries loss)"""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(student)
    rows = [(row["input_ids"], [label for label in row["labels"] if label != IGNORED]) for row in dataset]
    return [(tokenizer.decode(ids), tokenizer.decode(learnt)) for ids, learnt in rows]


def test_several_processes_make_the_same_tokens_in_the_order_of_the_rows(tmp_path, tiny_student, monkeypatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 3)
    rows = write_rows(tmp_path / "rows.parquet", 20)
    alone = tokenized(rows, tiny_student, "", tmp_path / "alone")
    monkeypatch.setattr(module, "FEW_CHARS", 0)
    shared = tokenized(rows, tiny_student, "", tmp_path / "shared", workers=2)
    [one], [other] = (list((tmp_path / name).iterdir()) for name in ("alone", "shared"))
    assert one.name == other.name and one.read_bytes() == other.read_bytes()
    assert lengths(shared).tolist() == [len(row["input_ids"]) for row in alone]
    for n, (whole, learnt) in enumerate(decoded(tiny_student, shared)):
        turn = f"<think>Add.</think>\n<answer>\\boxed{{{n + n}}}</answer><|end|>"
        assert (whole, learnt) == (f"<|user|>What is {n} + {n}?<|end|><|assistant|>{turn}", turn)


def test_a_content_is_tokenized_once_and_the_folder_keeps_the_last_few(tmp_path, tiny_student, monkeypatch) -> None:
    made: list[int] = []
    write = module._write
    monkeypatch.setattr(module, "_write", lambda *args: made.append(1) or write(*args))
    cache, file = tmp_path / "tokens", tmp_path / "rows.parquet"
    for prompt in ("", "Be brief.", ""):
        tokenized(write_rows(file, 4), tiny_student, prompt, cache)
    assert len(made) == 2
    tokenized(write_rows(file, 5), tiny_student, "", cache)  # other rows
    assert len(made) == 3
    for count in range(6, 9):
        tokenized(write_rows(file, count), tiny_student, "", cache)
    assert len(list(cache.iterdir())) == module.KEPT


def test_a_template_that_fails_on_a_row_leaves_no_tokens_behind(tmp_path, tiny_student, monkeypatch) -> None:
    monkeypatch.setattr(Template, "texts", lambda *_: (_ for _ in ()).throw(TemplateError("no")))
    with pytest.raises(TemplateError, match="no"):
        tokenized(write_rows(tmp_path / "rows.parquet", 4), tiny_student, "", tmp_path / "tokens")
    assert list((tmp_path / "tokens").iterdir()) == []
