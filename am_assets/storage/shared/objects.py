"""An S3 store: objects by name, each whole or not there.

objects = Objects("s3://bucket/prefix", endpoint="http://host:8333")
objects.refuse_unfit()
objects.put("memo/PROJECT", b"...")
"""

import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from am_assets.config.cluster import FILE
from am_assets.config.files import ConfigError

T = TypeVar("T")
RETRY_SECONDS = 120.0  # that a request is tried again for, so that a restart of the store fails nothing
CONNECT_SECONDS = 5
ANSWER_SECONDS = 120  # for a part at most
PART_BYTES = 32_000_000  # of a request
MOST_PARTS = 9_000  # of an upload; S3 takes 10,000
UPLOAD_SECONDS = 86_400.0  # that an upload takes at most
KEYS = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"
PROBE = "check"  # a folder of the store, for what is tried
UNTRUE = (
    "it does not keep the conditions of writes (If-None-Match, If-Match), without which machines overwrite what others"
    " wrote: use a store that does, as AWS S3 or SeaweedFS"
)


class StoreError(OSError):
    """The store does not answer, or refuses; the message says which and why."""


class StoreRefusal(StoreError):
    """It refuses however often one asks; the message says what mends that."""


@dataclass(frozen=True)
class Held:
    """An object: its size, a tag that is another as soon as it is written again, and when it was, by its store."""

    size: int
    tag: str
    written: float = 0.0


class Objects:
    """The objects below a prefix of a bucket. Credentials come from the environment, as of all programs of S3."""

    def __init__(self, url: str, endpoint: str | None):
        try:
            from obstore.store import S3Store
        except ImportError:
            raise ConfigError(
                f"{FILE}: store: it needs a package that is not here: pip install --constraint constraints.txt"
                " am-assets[cluster]"
            ) from None
        if endpoint and (unset := [name for name in KEYS if not os.environ.get(name)]):
            raise ConfigError(f"{FILE}: store: {' and '.join(unset)} are not set: export them on every machine")
        self.url, self._endpoint, self._cleans = url, endpoint, True
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        backoff = {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=3), "base": 2}
        retries: Any = {"max_retries": 1000, "retry_timeout": timedelta(seconds=RETRY_SECONDS), "backoff": backoff}
        other: Any = {"endpoint": endpoint, "virtual_hosted_style_request": False} if endpoint else {}
        self._store: Any
        with self._explained():
            self._store = S3Store(
                bucket,
                prefix=prefix.strip("/") or None,
                region=_region(),
                client_options={
                    "allow_http": bool(endpoint and endpoint.startswith("http://")),
                    "timeout": f"{ANSWER_SECONDS}s",
                    "connect_timeout": f"{CONNECT_SECONDS}s",
                },
                retry_config=retries,
                **other,
            )

    def put(self, name: str, content: Path | bytes) -> str:
        """Write an object, whether or not there is one; returns its tag."""
        size = content.stat().st_size if isinstance(content, Path) else len(content)
        tag = self._put(name, content, mode="overwrite", chunk_size=max(PART_BYTES, size // MOST_PARTS + 1))
        if size > PART_BYTES and self._cleans:
            self._cleans = False
            self._remove_interrupted()
        return tag

    def put_if(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Write an object if the one there has this tag, or without one if none is there; None where that is not so."""
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        try:
            return self._put(name, content, mode={"e_tag": tag} if tag else "create")
        except (AlreadyExistsError, PreconditionError):
            return None

    def find(self, name: str) -> Held | None:
        import obstore

        try:
            with self._explained():
                return _held(obstore.head(self._store, name))
        except FileNotFoundError:
            return None

    def read(self, name: str, held: Held) -> Iterator[bytes]:
        """The content of an object in parts; `FileNotFoundError` where it is another by now, or gone."""
        import obstore
        from obstore.exceptions import PreconditionError

        for start in range(0, held.size, PART_BYTES):
            options: Any = {"if_match": held.tag, "range": (start, min(start + PART_BYTES, held.size))}
            try:
                with self._explained():
                    part = obstore.get(self._store, name, options=options).bytes()
            except PreconditionError:
                raise FileNotFoundError(f"{self.url}/{name} was written again meanwhile") from None
            yield bytes(part)

    def listed(self, folder: str) -> tuple[dict[str, Held], list[str]]:
        """The objects of a folder by their last name, and the names of the folders in it."""
        import obstore

        with self._explained():
            found = obstore.list_with_delimiter(self._store, folder)
        objects = {_last(one["path"]): _held(one) for one in found["objects"]}
        return objects, sorted(_last(one.rstrip("/")) for one in found["common_prefixes"])

    def below(self, folder: str) -> dict[str, Held]:
        """All objects of a folder and of those within it, by name."""
        import obstore

        with self._explained():
            return {one["path"]: _held(one) for part in obstore.list(self._store, folder) for one in part}

    def remove(self, names: Iterable[str]) -> None:
        import obstore

        with self._explained():
            obstore.delete(self._store, [*names])

    def refuse_unfit(self) -> None:
        """`ConfigError` where conditions do not hold, the bucket is not there, or it refuses; `StoreError` where it
        does not answer."""
        name = f"{PROBE}/{uuid.uuid4().hex}"
        try:
            self.listed(PROBE)
            first = self.put_if(name, b"1", None)
            keeps = first is not None and self.put_if(name, b"2", None) is None
            second = self.put_if(name, b"3", first) if first else None
            keeps = keeps and second is not None and self.put_if(name, b"4", first) is None
            keeps = keeps and b"".join(self.read(name, Held(1, str(second)))) == b"3"
            self.remove([name])
        except StoreRefusal as error:
            raise ConfigError(f"{FILE}: store: {error}") from None
        if not keeps:
            raise ConfigError(f"{FILE}: store: {self.url}: {UNTRUE}")

    def _remove_interrupted(self) -> None:
        """Remove the parts of uploads that ended half way, as killed processes leave them: they take room, and nobody
        sees them. Where the store does not let us, that goes on."""
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        bucket, _, prefix = self.url.removeprefix("s3://").partition("/")
        settings = Config(
            connect_timeout=CONNECT_SECONDS, s3={"addressing_style": "path" if self._endpoint else "auto"}
        )
        with suppress(BotoCoreError, ClientError):
            client = boto3.client("s3", endpoint_url=self._endpoint, region_name=_region(), config=settings)
            pages = client.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=bucket, Prefix=f"{prefix.strip('/')}/" if prefix else ""):
                for one in page.get("Uploads", []):
                    if time.time() - one["Initiated"].timestamp() > UPLOAD_SECONDS:
                        client.abort_multipart_upload(Bucket=bucket, Key=one["Key"], UploadId=one["UploadId"])

    def _put(self, name: str, content: Path | bytes, **options: Any) -> str:
        import obstore

        with self._explained():
            return str(obstore.put(self._store, name, content, **options)["e_tag"])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Raise errors of the store as `StoreError`, but for what callers tell apart."""
        from obstore.exceptions import AlreadyExistsError, BaseError, NotModifiedError, PreconditionError

        try:
            yield
        except (AlreadyExistsError, NotModifiedError, PreconditionError):
            raise
        except BaseError as error:
            why = f"the store {self.url} can't be used: {_why(str(error))}"
            advice = _advice(why)
            raise (StoreRefusal(f"{why}: {advice}") if advice else StoreError(why)) from None


def _region() -> str:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"


def _held(found: Any) -> Held:
    return Held(found["size"], found["e_tag"], found["last_modified"].timestamp())


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _why(message: str) -> str:
    """What the store says, or the connection to it."""
    said = re.search(r"<Code>(.*?)</Code>(?:\s*<Message>(.*?)</Message>)?", message, re.DOTALL)
    if said:
        return ": ".join(filter(None, said.groups()))
    if "No CA certificates" in message:
        return "this machine has no CA certificates: install them, which Debian's package ca-certificates has"
    return " ".join(message.partition("\n\nDebug")[0].split())[:400]


def _advice(message: str) -> str | None:
    """What mends an answer that stays as it is, however often one asks."""
    advices = {
        r"NoSuchBucket|InvalidBucketName": "make the bucket first, or name another",
        r"ExpiredToken|InvalidToken|TokenRefreshRequired": (
            f"export new credentials ({', '.join(KEYS)}, AWS_SESSION_TOKEN) on every machine, for Ray's processes too,"
            " then apply again: nothing that was measured is lost"
        ),
        "RequestTimeTooSkewed": "set the clock of this machine by a time server (chrony)",
        r"AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|Forbidden|privileges|status code: 403": (
            f"see that {' and '.join(KEYS)} are right, and may list, read, write and delete below the prefix"
        ),
        r"NotImplemented|status code: 501": UNTRUE,  # numbers alone may be of the time that it took
    }
    return next((advice for sign, advice in advices.items() if re.search(sign, message)), None)


def each(work: Callable[[T], Any], of: Iterable[T]) -> None:
    """Do `work` for each, several at a time; the first error is raised."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(work, of):
            pass
