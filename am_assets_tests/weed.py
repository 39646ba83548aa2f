"""An S3 store in a folder: SeaweedFS, which keeps the conditions of writes."""

import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("weed")
KEYS = {"AWS_ACCESS_KEY_ID": "amkey", "AWS_SECRET_ACCESS_KEY": "amsecret"}


class Weed:
    """Started and killed as an administrator or a failure would. Buckets are made by their first object."""

    def __init__(self, folder: Path):
        self.folder = folder
        ports = {part: _free() for part in ("s3", "master", "volume", "filer")}
        self.ports = {f"{part}.port": port for part, port in ports.items()} | {f"{p}.port.grpc": _free() for p in ports}
        self.endpoint = f"http://127.0.0.1:{ports['s3']}"
        keys = {"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}
        identity = {"name": "am", "credentials": [keys], "actions": ["Admin"]}
        (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
        (folder / "data").mkdir()
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        options = {
            "dir": self.folder / "data", "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "volume.max": 100,
            "s3.port.iceberg": 0, "s3.port.lance": 0, "master.volumeSizeLimitMB": 64,
            "s3.config": self.folder / "s3.json", **self.ports,
        }  # fmt: skip
        command = [PROGRAM, "server", "-s3", *(f"-{k}={v}" for k, v in options.items())]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self._wait()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait(self) -> None:
        """Until an object can be written and read."""
        from am_assets.storage.shared.objects import Objects, StoreError

        os.environ.update(KEYS)
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=2).close()
                Objects("s3://project/first", self.endpoint).put("one", b"1")
                return
            except (OSError, StoreError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)


def _free() -> int:
    """Below those that systems hand out, so that it is free again after a restart."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
