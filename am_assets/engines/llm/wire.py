"""One request to one endpoint: a reply, or a classified fault.

litellm translates names, addresses, headers and parameters for each provider. For providers with the plain OpenAI
protocol only this translation is used, cached per sampling, and the request is sent directly: most of the time of
`litellm.acompletion` is its own bookkeeping (measured: 290 to 550 requests/s in one process, against 2,000 and more).
All others go through `litellm.acompletion`.
"""

import asyncio
import json
import socket
from functools import cached_property, lru_cache
from typing import Any

from am_assets.config.endpoints import STUDENT, Endpoint
from am_assets.config.files import ConfigError
from am_assets.engines.llm.names import misnamed
from am_assets.engines.llm.replies import Fault, LlmError, Reply, empty, read, refusal
from am_assets.engines.serving import NotThereError, Places, ServerError, Wish, lease, server_of
from am_assets.runtime.quoting import MAX_QUOTED, quoted

DIRECT = {"openai", "hosted_vllm", "deepseek"}  # litellm's names of providers whose protocol is plain OpenAI
CONNECT_SECONDS = 30
GONE_SECONDS = 20.0
NOWHERE = "http://127.0.0.1:9/v1"  # the address of a server that is not there yet
NO_CONNECTION = "Cannot connect to host"  # aiohttp's message, quoted in litellm's
MAX_FAULT = 2 * MAX_QUOTED  # characters, including our own text


class Wire:
    """A connection to one endpoint; an async context manager. `ConfigError` where the endpoint is misconfigured.

    Where a server is declared the constructor starts or joins it and waits until it answers, or raises `LlmError`;
    `replica` is its number among equal ones. Declared by `serve` it is placed by `places`, where there are such.
    """

    def __init__(self, model: str, endpoint: Endpoint, replica: int = 0, places: Places | None = None):
        import litellm

        litellm.suppress_debug_info = True
        litellm.telemetry = False
        self.endpoint = endpoint
        self.key = endpoint.api_key(model)
        self.prices = endpoint.prices(model)
        base = endpoint.api_base
        name = endpoint.model or model
        self.lease: Wish | None = None
        declared = endpoint.served(model)
        self.places = places if endpoint.serve else None
        self.several = bool(self.places and declared and declared.replicas > 1)  # of which some may not be there
        if declared:
            base, name = self._served(model, replica)
        self.full_name = name
        self.name, self.provider, found_key, self.base = litellm.get_llm_provider(
            name, api_base=base, api_key=self.key or ("none" if base else None)
        )
        self.key = self.key or found_key
        self.base = self.base or base
        self.account = self.placed_name if self.places else self.base or ""  # whose limits hold, beside the key
        self.direct = self.provider in DIRECT and bool(self.base)
        self.known_schema_support = base is not None or litellm.supports_response_schema(name)
        self.structured = endpoint.structured
        if declared and declared.engine == "transformers":  # its server ignores response formats
            self.structured = self.structured or "none"
        self.sampling = lru_cache(64)(self._sampling)

    def _served(self, model: str, replica: int) -> tuple[str, str]:
        """The address of the server, and litellm's name of the model there."""
        if model.partition("/")[0] != STUDENT and (fault := misnamed(model, {model: [self.endpoint]})):
            raise ConfigError(fault)
        try:
            server = server_of(model, self.endpoint, replica)
            self.lease = lease(server, self.places)
            base, self.key = self._there()
        except (ServerError, FileNotFoundError) as error:
            raise LlmError(f"{model}: {error}") from None
        self.placed_name = server.id
        self.served_name = server.name
        return base, f"{'openai' if server.engine == 'llama' else 'hosted_vllm'}/{server.name}"

    def _there(self) -> tuple[str, str | None]:
        """Where the server answers, and its key, once it does; `NOWHERE` where it is one of several that does not."""
        assert self.lease
        if not self.several:
            return self.lease.address()
        try:
            return self.lease.address(0)
        except NotThereError:
            return NOWHERE, None

    def look(self) -> bool:
        """Whether the server answers by now. `LlmError` where it does not start."""
        try:
            self.base, self.key = self._there()
        except ServerError as error:
            raise LlmError(str(error)) from None
        return self.base != NOWHERE

    async def _find_again(self) -> None:
        """After a lost connection to a server that was started here or placed: where it answers now, once it does."""
        if self.lease is None:
            return
        async with self.finding:
            try:
                self.base, self.key = await asyncio.to_thread(self._there)
            except NotThereError as error:
                raise Fault("busy", str(error)) from None
            except ServerError as error:
                raise Fault("refused", str(error)) from None
            self.__dict__.pop("_address", None)

    async def __aenter__(self) -> "Wire":
        import aiohttp

        self.finding = asyncio.Lock()

        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, socket_factory=_noticing if self.places else None),
            timeout=aiohttp.ClientTimeout(total=self.endpoint.timeout_seconds, sock_connect=CONNECT_SECONDS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def ask(self, messages: list[dict[str, Any]], sampling: str) -> Reply:
        """The reply to one request, with its cost; `sampling` is JSON. Raises `Fault`."""
        try:
            reply = await (self._post(messages, sampling) if self.direct else self._through_litellm(messages, sampling))
        except Fault as fault:
            raise Fault(fault.kind, self.quoted(fault, MAX_FAULT), fault.retry_after) from None
        except Exception as error:  # of the provider's library; its text may quote the provider
            raise Fault("refused", self.quoted(f"{type(error).__name__}: {error}", MAX_FAULT)) from None
        asked, answered = reply.tokens
        price_in, price_out = self.prices or (0, 0)
        reply.cost = (asked * price_in + answered * price_out) / 1e6
        return reply

    def _sampling(self, sampling: str) -> dict[str, Any]:
        """The sampling parameters as this provider expects them, translated by litellm."""
        from litellm.utils import get_optional_params

        wanted = self._structured(json.loads(sampling))
        if not (self.direct or self.endpoint.batch):
            return wanted
        sent: dict[str, Any] = get_optional_params(
            model=self.name, custom_llm_provider=self.provider, **wanted, drop_params=True
        )
        extra: dict[str, Any] = sent.pop("extra_body", {})
        return sent | extra

    def _structured(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """`wanted` with `response_format` reduced to what the endpoint supports."""
        takes = self.structured or ("json_schema" if self.known_schema_support else "json_object")
        if "response_format" not in wanted or takes == "json_schema":
            return wanted
        rest = {name: value for name, value in wanted.items() if name != "response_format"}
        return rest if takes == "none" else rest | {"response_format": {"type": "json_object"}}

    def body(self, messages: list[dict[str, Any]], sampling: str) -> dict[str, Any]:
        """The body of the HTTP request, for providers in `DIRECT`."""
        body: dict[str, Any] = self._translation.transform_request(
            self.name, messages, dict(self.sampling(sampling)), {}, {}
        )
        return body

    @cached_property
    def _translation(self) -> Any:
        import litellm
        from litellm.utils import ProviderConfigManager

        return ProviderConfigManager.get_provider_chat_config(self.name, litellm.LlmProviders(self.provider))

    @cached_property
    def _address(self) -> tuple[str, dict[str, str]]:
        url = self._translation.get_complete_url(self.base, self.key, self.name, {}, {})
        return url, self._translation.validate_environment({}, self.name, [], {}, {}, self.key, self.base)

    async def _post(self, messages: list[dict[str, Any]], sampling: str) -> Reply:
        import aiohttp

        if self.base == NOWHERE:
            await self._find_again()
        if self.base == NOWHERE:
            raise Fault("busy", "this replica of the server is not there yet")
        url, headers = self._address
        body = json.dumps(self.body(messages, sampling))
        try:
            async with self.session.post(url, data=body, headers=headers) as response:
                content = await response.read()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            await self._find_again()
            raise Fault("busy", f"no connection: {error}") from None
        except TimeoutError:
            raise Fault("broken", f"no answer within {self.endpoint.timeout_seconds:g} seconds") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Fault("broken", f"connection lost: {type(error).__name__}: {error}") from None
        if response.status != 200:
            return self._refusal(response.status, content.decode(errors="replace"), response.headers)
        reply = read(content)
        if self.lease and reply.model and reply.model.partition("@")[0] != self.served_name:
            raise Fault("refused", f"the server answers for the model {reply.model}, and not for {self.served_name}")
        return reply

    async def _through_litellm(self, messages: list[dict[str, Any]], sampling: str) -> Reply:
        import litellm

        try:
            reply = await litellm.acompletion(
                model=self.full_name,
                api_base=self.endpoint.api_base,
                api_key=self.key,
                messages=messages,
                **self.sampling(sampling),
                timeout=self.endpoint.timeout_seconds,
                max_retries=0,
                drop_params=True,
            )
        except litellm.ContextWindowExceededError:
            return empty("context_exceeded")
        except litellm.Timeout as error:
            raise Fault("broken", str(error)) from None
        except Exception as error:
            status = getattr(error, "status_code", None)
            if not isinstance(status, int):
                raise
            if NO_CONNECTION in str(error):  # litellm's status does not tell it apart
                raise Fault("busy", str(error)) from None
            if status == 200 or isinstance(
                error, litellm.APIConnectionError
            ):  # litellm raises it for unreadable replies too
                raise Fault("broken", str(error)) from None
            headers = getattr(error, "litellm_response_headers", None)  # litellm leaves those of `response` empty
            headers = headers or getattr(getattr(error, "response", None), "headers", None) or {}
            return self._refusal(status, str(error), headers)
        return read(reply.model_dump_json().encode())

    def _refusal(self, status: int, text: str, headers: Any) -> Reply:
        return refusal(status, self.quoted(text), headers)

    def quoted(self, text: object, most: int = MAX_QUOTED) -> str:
        """`text` of the provider sanitized for a message, without the API key."""
        return quoted(text, self.key, most=most)


def _noticing(address: Any) -> socket.socket:
    """A socket that notices within `GONE_SECONDS` that the machine at the other end is gone."""
    made = socket.socket(*address[:3])
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 5), ("TCP_KEEPINTVL", 5), ("TCP_USER_TIMEOUT", int(GONE_SECONDS * 1000))):
        made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return made
