import subprocess
import sys
from pathlib import Path

from am_assets.engines.folders import written_aside

WRITER = """
import sys, time
from pathlib import Path
from am_assets.engines.folders import written_aside
with written_aside(Path(sys.argv[1])) as aside:
    (aside / "half.bin").write_bytes(b"0" * 100)
    print("writing", flush=True)
    time.sleep(60)
"""


def writing(target: Path) -> subprocess.Popen:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE)
    assert writer.stdout and writer.stdout.readline() == b"writing\n"
    return writer


def test_what_a_killed_writer_left_goes_when_its_folder_is_written_again_and_a_living_ones_stays(tmp_path: Path):
    target = tmp_path / "checkpoint"
    killed, living, other = writing(target), writing(target), writing(tmp_path / "checkpoint-2")
    killed.kill()
    killed.wait()
    assert len(list(tmp_path.iterdir())) == 3
    with written_aside(target) as aside:
        (aside / "whole.bin").write_bytes(b"1")
    assert {path.name for path in target.iterdir()} == {"whole.bin"}
    left = [path.name for path in tmp_path.iterdir() if path != target]
    assert len(left) == 2
    assert any(f"~{living.pid}~" in name for name in left) and any(f"~{other.pid}~" in name for name in left)
    for writer in (living, other):
        writer.kill()
        writer.wait()
