"""What to change, by the log of a server that did not start.

>>> advice("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", 1)
'memory ran out: ...'
"""

import re

MEMORY = (
    "memory ran out: lower `context` or `concurrency` (llama), `max-model-len` or `gpu-memory-utilization` (vllm),"
    " `mem-fraction-static` (sglang) or `cb-num-blocks` (transformers) of serve.arguments, raise `gpus`, or end what"
    " else uses that memory"
)
KILLED = "it was killed, as a rule because the machine ran out of memory: lower `context`, `concurrency` or `replicas`"
PORT = r"address already in use|errno 98|EADDRINUSE|couldn't bind|cannot bind|failed to bind|could not bind"
# Of the causes that the end of a log names, the first counts: a late message often follows from an earlier one.
CAUSES = [
    (
        r"out of memory|OutOfMemory|cannot allocate memory|failed to allocate|bad_alloc|unable to allocate"
        r"|no available memory for the cache blocks|larger than the maximum number of tokens that can be stored",
        MEMORY,
    ),
    (
        r"bfloat16 is only supported|not implemented for '(Half|BFloat16)'|unknown dtype|unsupported dtype"
        r"|invalid.{0,20}dtype|dtype.{0,40}(not supported|unsupported|invalid choice)",
        "this device does not compute in that dtype: set `dtype` of serve.arguments to float16 or float32",
    ),
    (
        r"no cuda gpus|no gpu|found no nvidia driver|cuda driver|failed to infer device type|no supported device"
        r"|libcuda|cuda is not available|not compiled with cuda|no accelerator|invalid device ordinal",
        "the GPU that it wants is not there: set `gpus` to what this machine has, install the driver, or use the engine"
        " transformers or llama, which run on a CPU",
    ),
    (PORT, "another process took its port: run again, for another one"),
    (
        r"no module named|ModuleNotFoundError|missing dependencies|cannot import name|requires .{0,40}pip install",
        "a package is missing in its environment: install it there, for transformers by"
        " `pip install 'am-assets[serving]'`; `python` names the environment of vllm and sglang",
    ),
    (
        r"unrecognized arguments?|no such option|invalid choice|unexpected extra argument|got unexpected|no argument",
        "its engine knows no such argument: correct serve.arguments",
    ),
    (
        r"failed to load model|repository not found|does not appear to have a file named|not a valid model identifier"
        r"|can't load|safetensors.*(error|invalid)|header too large|no such file or directory|is not a local folder",
        "the weights can't be loaded: correct `gguf` or `model`",
    ),
]


def advice(log: str, code: int | None) -> str:
    """A sentence that says what to change; empty where the log names no known cause. `code`: the exit status."""
    places = [(found.start(), what) for cause, what in CAUSES if (found := re.search(cause, log, re.I))]
    if places:
        return min(places)[1]
    return KILLED if code == -9 else ""


def port_was_taken(log: str) -> bool:
    """Whether the server failed because another process listens at its port."""
    return re.search(PORT, log, re.I) is not None
