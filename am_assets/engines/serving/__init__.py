"""Servers of models, of this machine or placed on a cluster: started on demand, shared by all processes that need one,
ended with the last.

    address = lease(server_of("embedded/smollm2-135m-instruct", Endpoint())).address()
    address.url, address.key  # of a server that speaks the OpenAI protocol

    servers     what identifies a server, and the command of each engine
    leases      the side of a user: join or start a server, wait until it answers
    keeper      the process that starts, restarts and ends one server
    placing     the side of a user on a cluster, whose launcher starts servers where there is room
    placed      the keeper there
    devices     GPUs, each given to one server at a time
    advice      what to change, by the log of a server that did not start
    llama       the process that serves a GGUF file (xllamacpp)
    hosted      the process that serves a Hugging Face folder (`transformers serve`)

A *keeper* has one folder below `machine_folder()`, with its log, its state, and the leases of its users: files that are
locked while their process lives. It knows no request; those belong to `engines/llm/`.
"""

from am_assets.engines.serving.leases import Address, Lease, Places, Wish, lease, release_all
from am_assets.engines.serving.placing import NotThereError, Placing, placing_of
from am_assets.engines.serving.servers import Server, ServerError, server_of, unservable

__all__ = [
    "Address",
    "Lease",
    "NotThereError",
    "Places",
    "Placing",
    "Server",
    "ServerError",
    "Wish",
    "lease",
    "placing_of",
    "release_all",
    "server_of",
    "unservable",
]
