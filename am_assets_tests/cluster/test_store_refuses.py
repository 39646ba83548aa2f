"""Credentials that expire, clocks that are off, a disk without room for copies: said, and nothing is lost."""

import os
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import polars as pl
import pytest

from am_assets.config.cluster import Cluster
from am_assets.config.files import ConfigError
from am_assets.storage import copies, segments
from am_assets.storage.atomic import file_aside
from am_assets.storage.memo import Memo
from am_assets.storage.shared.copies import Copies
from am_assets.storage.shared.database import open_database
from am_assets.storage.shared.objects import Objects
from am_assets_tests.weed import KEYS, Weed

ROWS = pl.DataFrame({"key": ["a", "b"], "value": [1, 2]})


class Refusing(BaseHTTPRequestHandler):
    """What S3 answers to credentials that ran out, or to a clock that is off."""

    code = "ExpiredToken"
    tokens: set[str | None]

    def do_PUT(self) -> None:
        self.tokens.add(self.headers["x-amz-security-token"])
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = f"<Error><Code>{self.code}</Code><Message>refused</Message></Error>".encode()
        self.send_response(400 if self.code == "ExpiredToken" else 403)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_PUT

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a store whose credentials have expired."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(Refusing, "tokens", set(), raising=False)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_credentials_that_expire_are_named_and_what_was_measured_is_sent_with_new_ones(
    tmp_path: Path, weed: Weed, address: str, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, folder = Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint), tmp_path / "memo"
    copies.mount(folder, keeper := Copies(tmp_path, cluster, partial(open_database, cluster, folder)))
    memo = Memo(folder)
    memo.append("numbers", ROWS[:1])
    there = keeper.objects
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of an hour")
    expired = keeper._objects[os.getpid()] = Objects(f"s3://project/{tmp_path.name}", refusing)
    with pytest.raises(OSError, match=r"ExpiredToken: refused: export new credentials .*AWS_SESSION_TOKEN.* apply aga"):
        memo.append("numbers", ROWS[1:])
    assert Refusing.tokens == {"of an hour"} and len([*(folder / "numbers").glob("*.unsent")]) == 1
    with pytest.raises(OSError, match="ExpiredToken"):
        memo.read("numbers", ROWS, ROWS.schema)
    assert len([*(folder / "numbers").glob("*.unsent")]) == 1
    keeper._objects[os.getpid()] = there
    assert memo.read("numbers", ROWS, ROWS.schema).equals(ROWS) and not [*(folder / "numbers").glob("*.unsent")]

    with pytest.raises(ConfigError, match="ExpiredToken"):
        expired.refuse_unfit()
    monkeypatch.setattr(Refusing, "code", "RequestTimeTooSkewed")
    with pytest.raises(ConfigError, match="set the clock of this machine by a time server"):
        expired.refuse_unfit()


@pytest.mark.usefixtures("keys")
def test_machines_whose_clocks_are_hours_apart_lose_nothing(
    tmp_path: Path, weed: Weed, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, memos = Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint), []
    for name in ("one", "two"):
        folder = tmp_path / name / "memo"
        copies.mount(folder, Copies(tmp_path / name, cluster, partial(open_database, cluster, folder)))
        memos.append(Memo(folder))
    many = pl.DataFrame({"key": [f"{number:02}" for number in range(40)], "value": range(40)})
    now, now_ns = time.time, time.time_ns
    for number in range(many.height):
        hours = 1 if number % 2 else -1
        monkeypatch.setattr(time, "time", lambda off=hours * 3600: now() + off)
        monkeypatch.setattr(time, "time_ns", lambda off=hours * 3600 * 10**9: now_ns() + off)
        memos[number % 2].append("many", many[number : number + 1])
        if number == 35:
            segments.merge(memos[1].folder / "many")
    assert len(segments.listed(memos[0].folder / "many")) < many.height
    for memo in memos:
        assert memo.read("many", many, many.schema).sort("key").equals(many)


@pytest.mark.usefixtures("keys")
def test_a_disk_without_room_for_copies_is_named_and_harms_none(tmp_path: Path, weed: Weed) -> None:
    cluster = Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint)
    maker, table = Copies(tmp_path / "one", cluster, lambda: None), Path("assets") / "raw_pool" / "a.parquet"
    copies.mount(maker.root / "assets", maker)
    content = os.urandom(3_000_000)
    with file_aside(maker.root / table) as aside:
        aside.write_bytes(content)
    small = tmp_path / "two"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no leave to mount a small disk")
    try:
        full = Copies(small, cluster, lambda: None)
        with pytest.raises(OSError, match=r"a\.parquet: .*No space left on device.*cache_gb"):
            full.here(small / table)
        assert [*(small / "assets" / "raw_pool").iterdir()] == []
        subprocess.run(["mount", "-o", "remount,size=20m", str(small)], check=True)
        full.here(small / table)
        assert (small / table).read_bytes() == content
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
