"""How a model is served on this machine, or on machines of a cluster: `serve:` of an entry of `data/endpoints.yaml`.

Nothing here is part of the identity of an answer, so what would change answers is refused here: it belongs to the model
(weights of another name), or to the sampling of a policy.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from am_assets.config.files import Section

Argument = bool | int | float | str
Engine = Literal["llama", "transformers", "vllm", "sglang"]

MODEL = "it changes what the model is, and so its answers: name other weights instead (a folder, a GGUF, a hub name)"
SAMPLING = "it changes answers: sampling belongs to the policy that asks"
OURS = "it is set here"
# Names of arguments, without dashes: the first pattern that matches the beginning says why one is refused.
REFUSED: list[tuple[str, str]] = [
    (r"host|port|uds|api_?key|admin_api_key|cors|allow(ed)?_origins|allow_credentials|ssl|root_path", OURS),
    (r"model($|_path|_tag)|served_model_name|force_model|n_ctx$|n_parallel|continuous_batching", OURS),
    (r"config$|extra_config", "it names a file of further arguments, which are not seen here: write them out"),
    (r"tensor_parallel_size|tp(_size)?$|device_ids|base_gpu_id", "it follows from `gpus`"),
    (r"quantiz|torchao|load_in_|load_format|ignore_patterns|weight_loader|.*_quant", MODEL),
    (r"kv_cache_dtype|cache_type_|calculate_kv_scales", MODEL),
    (r".*lora|.*adapter|control_vector|hf_overrides|json_model_override|model_impl|mmproj", MODEL),
    (r"(rope|yarn|grp_attn)_", MODEL),
    (r"(default_)?chat_template|.*template_kwargs|use_jinja|enable_chat_template|reasoning$|enable_reasoning", MODEL),
    (r".*tokenizer|revision|code_revision|completion_template|hf_chat_template|skip_tokenizer_init", MODEL),
    (r"(override_)?generation_config|sampling|preferred_sampling|.*logits?_processor|.*seed$", SAMPLING),
    (r"prompt|system_prompt|antiprompt|n_predict|n_keep|ctx_shift|max_tokens|context_shift", SAMPLING),
]


class Serve(Section):
    """The engine that answers for a model, started on demand, here or where a cluster has room; all runs share it."""

    engine: Engine  # llama serves GGUF files, the others Hugging Face folders
    arguments: dict[str, Argument] = Field(default_factory=dict)  # as the engine spells them
    replicas: Annotated[int, Field(ge=1, le=64)] = 1  # servers that share the requests
    gpus: Annotated[int, Field(ge=0)] | None = None  # that each replica has for itself; null: as the machine is
    python: str | None = None  # vllm and sglang: the interpreter of their environment; null: the command on PATH

    @field_validator("arguments")
    @classmethod
    def _that_change_no_answer(cls, arguments: dict[str, Argument]) -> dict[str, Argument]:
        for name in arguments:
            plain = name.lstrip("-").replace("-", "_").lower()
            plain = plain.removeprefix("no_") if plain.startswith("no_") else plain
            reason = next((why for pattern, why in REFUSED if re.match(pattern, plain)), None)
            if reason or not re.fullmatch(r"[a-z]\w*(\.\w+)*", plain):
                raise ValueError(f"{name}: {reason or 'no name of an argument'}")
        return arguments

    @model_validator(mode="after")
    def _python_of_other_environments(self) -> "Serve":
        if self.python and self.engine in ("llama", "transformers"):
            raise ValueError(f"python: {self.engine} runs in this environment: remove it")
        return self
