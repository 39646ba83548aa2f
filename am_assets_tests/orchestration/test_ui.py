"""`make ui`: it listens on this machine alone, and ends with all it started within 10 s of SIGTERM."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from am_assets_tests.desk import Desk
from am_assets_tests.services import ROOT, Services, environment, until

LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
STARTS = ["make", "python"]


def command(start: str, port: int) -> list[str]:
    options = ["-p", str(port)]
    if start == "make":
        installed = f"{sys.prefix}/.installed"
        return ["make", "ui", f"VENV={sys.prefix}", "-o", installed, f"UI_OPTIONS={' '.join(options)}"]
    return [sys.executable, "-m", "am_assets.orchestration.ui", "-w", "workspace.yaml", *options]


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_it_listens_on_loopback_and_ends_whole_within_ten_seconds(start: str, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write_project("http://127.0.0.1:1/v1")
    services = Services(tmp_path)
    with (tmp_path / "ui.log").open("w") as log:
        served = subprocess.Popen(
            command(start, services.ports["webserver"]), cwd=ROOT, env=environment(tmp_path), stdout=log, stderr=log
        )
    try:
        until(services.knows_the_graph, "the webserver knows the graph")
        every = [psutil.Process(served.pid), *psutil.Process(served.pid).children(recursive=True)]
        listening = [one for process in every for one in process.net_connections("inet") if one.status == "LISTEN"]
        assert {one.laddr.ip for one in listening} <= LOOPBACK
        assert services.ports["webserver"] in {one.laddr.port for one in listening}
        began = time.monotonic()
        served.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(every, 30)
        assert time.monotonic() - began < 10
        assert left == []
        assert served.wait() != 0
    finally:
        served.kill()
