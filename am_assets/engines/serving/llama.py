"""Serve a GGUF file over the OpenAI protocol, on loopback by default, by llama.cpp: the engine `llama`.

AM_SERVER_KEY=… python -m am_assets.engines.serving.llama model.gguf --name model --port 8080 --context 2048 --slots 4
"""

import argparse
import json
import os
import signal
from pathlib import Path

from am_assets.engines.serving.servers import HOST, KEY

CACHE_MIB = 256  # prompt cache; the default of llama.cpp is up to 8 GiB


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a GGUF file over the OpenAI protocol.")
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--name", required=True, help="of the model, in requests and answers")
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, required=True, help="tokens for each slot")
    parser.add_argument("--slots", type=int, required=True, help="requests answered at the same time")
    parser.add_argument("--arguments", default="{}", help="JSON: fields of xllamacpp.CommonParams")
    options = parser.parse_args()

    # Threads of llama.cpp wait for one another many times per token, by default spinning, which starves them beside
    # other work on the same cores (measured: 6 tokens/s spinning, 104 sleeping).
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(options.gguf)
    params.model_alias = {options.name}
    params.hostnames = [options.host]
    params.port = options.port
    params.api_keys = [os.environ[KEY]]
    params.cors_origins = f"http://{options.host}"  # by default any web page may send requests
    params.ui = False
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots  # the slots share it
    params.cache_ram_mib = CACHE_MIB
    params.verbosity = 1  # errors
    for name, value in json.loads(options.arguments).items():
        if not hasattr(params, field := name.lstrip("-").replace("-", "_")):
            raise SystemExit(f"no argument {name}: llama takes the fields of xllamacpp.CommonParams")
        setattr(params, field, value)
    server = xllamacpp.Server(params)
    if not server.listening_address.endswith(f":{options.port}"):
        raise SystemExit(f"address already in use: {options.port}")
    signal.pause()


if __name__ == "__main__":
    main()
