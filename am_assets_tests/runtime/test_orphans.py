import subprocess
import sys

import psutil

WORKER = "import sys, time; from am_assets.runtime.orphans import end_with; end_with(int(sys.argv[1])); "


def worker(pid: int, work: str) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", WORKER + work, str(pid)], stdout=subprocess.PIPE)


def test_a_worker_is_killed_with_the_process_it_works_for_and_not_before():
    master = subprocess.Popen(["sleep", "60"])
    at_work = worker(master.pid, "print('begun', flush=True); time.sleep(60)")
    assert at_work.stdout and at_work.stdout.readline() == b"begun\n"
    assert psutil.Process(at_work.pid).is_running()
    master.kill()
    master.wait()
    assert at_work.wait(timeout=10) == -9


def test_one_that_comes_too_late_is_killed_at_once_and_one_that_is_done_ends_by_itself():
    master = subprocess.Popen(["sleep", "60"])
    assert worker(master.pid, "pass").wait(timeout=30) == 0
    master.kill()
    master.wait()
    assert worker(master.pid, "time.sleep(60)").wait(timeout=30) == -9
