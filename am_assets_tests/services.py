"""A project folder from outside: the command `am`, and Dagster's code server, webserver and daemon, each a process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
import yaml

from am_assets.orchestration.instance import BUNDLED

ROOT = Path(__file__).parents[1]
SENSORS = """{ sensorsOrError(repositorySelector: { repositoryName: "__repository__",
    repositoryLocationName: "am_assets"}) { ... on Sensors { results { id name } } } }"""
UNDER_WAY = """{ runsOrError(filter: {statuses: [STARTED]}) { ... on Runs { results { stepStats { stepKey status }
    eventConnection { events { ... on EngineEvent { metadataEntries {
        label ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue } } } } } } } } }"""
STOP = "mutation($id: String!) { stopSensor(id: $id) { ... on PythonError { message } } }"
T = TypeVar("T")


def until(holds: Callable[[], T], what: str, seconds: float = 300, every: float = 0.1) -> T:
    """The first true answer; `TimeoutError` naming what was waited for."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise TimeoutError(f"{seconds:.0f} s passed, and not yet: {what}")
        time.sleep(every)
    return found


def environment(folder: Path) -> dict[str, str]:
    home = {"AM_DATA": str(folder), "DAGSTER_HOME": str(folder / "instance"), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return {name: value for name, value in os.environ.items() if name != "AM_SOURCES"} | home


def am(folder: Path, *arguments: str, inside: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """The command `am` over a project folder, `inside` another command."""
    command = [*inside, sys.executable, "-W", "ignore", "-m", "am_assets.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(folder))


def settle(folder: Path, start_timeout: int = 120) -> None:
    """The shipped instance settings, but that queue and runs are looked at more often. A run whose machine died before
    it began is given up after `start_timeout` seconds."""
    settings = yaml.safe_load(BUNDLED.read_text())
    settings["run_queue"] = {"dequeue_interval_seconds": 1}
    settings["run_monitoring"] |= {"poll_interval_seconds": 2, "start_timeout_seconds": start_timeout}
    (folder / "instance" / "dagster.yaml").write_text(yaml.safe_dump(settings))


class Services:
    """Starts, kills and asks them. What each prints lies in `<name>.log` of the folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ports = {name: _free_port() for name in ("code", "webserver")}
        self.running: dict[str, subprocess.Popen] = {}
        workspace = {"host": "localhost", "port": self.ports["code"], "location_name": "am_assets"}
        self.workspace = folder / "workspace.yaml"
        self.workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": workspace}]}))
        self.url = f"http://127.0.0.1:{self.ports['webserver']}"

    def start(self, *names: str) -> None:
        """Start those of these (default: all) that are not there, and wait until the webserver knows the graph."""
        target = ["-w", str(self.workspace)]
        python = [sys.executable, "-W", "ignore", "-m"]
        commands = {
            "code": [*python, "dagster", "code-server", "start", "-m", "am_assets.definitions", "-d", str(ROOT),
                     "-p", str(self.ports["code"]), "--location-name", "am_assets"],
            "webserver": [*python, "dagster_webserver", "-p", str(self.ports["webserver"]), *target],
            "daemon": [*python, "am_assets_tests.brisk_daemon", "run", *target],
        }  # fmt: skip
        for name, command in commands.items():
            if name not in self.running and name in (names or commands):
                self.running[name] = self._spawn(name, command)
                if name == "code":
                    until(lambda: _listens(self.ports["code"]), "the code server listens")
        until(lambda: self.knows_the_graph(), "the webserver knows the graph")

    def _spawn(self, name: str, command: list[str]) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("a") as log:
            # in a session of its own, so that a kill reaches its children and nobody else
            return subprocess.Popen(
                command, env=environment(self.folder), stdout=log, stderr=log, start_new_session=True
            )

    def knows_the_graph(self) -> bool:
        try:
            return "assetNodes" in str(self.ask("{ repositoriesOrError { __typename } assetNodes { id } }"))
        except (URLError, ConnectionError):
            return False

    def kill(self, name: str) -> None:
        """`kill -9` of one service and all it started."""
        process = self.running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def end(self, name: str) -> float:
        """SIGTERM to one service: the seconds until it and all that it started have ended."""
        process = self.running.pop(name)
        below = psutil.Process(process.pid).children(recursive=True)
        began = time.monotonic()
        process.terminate()
        process.wait(60)
        _, left = psutil.wait_procs(below, 10)
        seconds = time.monotonic() - began
        for one in left:
            one.kill()
        assert not left, f"left by {name}: {left}"
        return seconds

    def runs(self) -> list[psutil.Process]:
        """The processes that carry out runs."""
        if "code" not in self.running:
            return []
        children = psutil.Process(self.running["code"].pid).children(recursive=True)
        forked = {child.pid: child for child in children if "multiprocessing.forkserver" in " ".join(command_of(child))}
        warm = [child for child in forked.values() if child.ppid() not in forked]  # what runs are forked from
        return [run for process in warm for run in process.children()]

    def under_way(self) -> dict[int, list[str]]:
        """The processes that carry out runs, by number, and the assets that each is making."""
        found: dict[int, list[str]] = {process.pid: [] for process in self.runs()}
        for run in self.ask(UNDER_WAY)["runsOrError"]["results"]:
            said = [entry for event in run["eventConnection"]["events"] for entry in event.get("metadataEntries", [])]
            pid = next((int(entry.get("text") or entry["intValue"]) for entry in said if entry["label"] == "pid"), None)
            if pid in found:
                found[pid] = [step["stepKey"] for step in run["stepStats"] if step["status"] == "IN_PROGRESS"]
        return found

    def stop_sensors(self) -> None:
        """From now on nothing runs but what is asked for, and what of that has to run again."""
        for sensor in self.ask(SENSORS)["sensorsOrError"]["results"]:
            if sensor["name"] != "lost_retries":
                self.ask(STOP, id=sensor["id"])

    def ask(self, query: str, **variables: Any) -> dict:
        body = json.dumps({"query": query, "variables": variables}).encode()
        with urlopen(Request(f"{self.url}/graphql", body, {"content-type": "application/json"}), timeout=60) as reply:
            answer = json.loads(reply.read())
        if answer.get("errors"):
            raise RuntimeError(str(answer["errors"])[:2000])
        return answer["data"]


@contextmanager
def serving(folder: Path) -> Iterator[Services]:
    services = Services(folder)
    try:
        services.start("code", "webserver")
        services.stop_sensors()
        services.start()
        yield services
    finally:
        for name in list(services.running):
            services.kill(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
