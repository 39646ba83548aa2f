import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from am_assets.storage.atomic import file_aside, locked, version_aside, write_whole, written_aside

WRITER = """
import sys, time
from pathlib import Path
from am_assets.storage.atomic import written_aside
with written_aside(Path(sys.argv[1])) as aside:
    (aside / "half.bin").write_bytes(b"0" * 100)
    print(aside, flush=True)
    time.sleep(60)
"""


def writing(target: Path) -> tuple[subprocess.Popen, Path]:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, target], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    return writer, Path(writer.stdout.readline().strip())


def test_what_a_killed_writer_left_goes_when_its_folder_is_written_again_and_a_living_ones_stays(tmp_path: Path):
    target = tmp_path / "checkpoint"
    (killed, half), (living, at_work), (other, elsewhere) = (
        writing(tmp_path / name) for name in ("checkpoint", "checkpoint", "checkpoint-2")
    )
    killed.kill()
    killed.wait()
    assert half.exists()
    with written_aside(target) as aside:
        (aside / "whole.bin").write_bytes(b"1")
    assert {path.name for path in target.iterdir()} == {"whole.bin"}
    assert {*tmp_path.iterdir()} == {target, at_work, elsewhere}
    for writer in (living, other):
        writer.kill()
        writer.wait()


def test_of_many_writers_at_once_none_takes_another_for_dead(tmp_path: Path):
    class GivenUp(Exception):
        pass

    def write(number: int) -> bool:
        with suppress(GivenUp), written_aside(tmp_path / "checkpoint") as aside:
            (aside / f"{number}").touch()
            raise GivenUp
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(400)))
    assert not [*tmp_path.iterdir()]


def test_what_stood_there_is_replaced_whole(tmp_path: Path):
    for name in ("first", "second"):
        with written_aside(tmp_path / "made") as aside:
            (aside / name).touch()
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["second"]
    assert [*tmp_path.iterdir()] == [tmp_path / "made"]


def test_a_file_that_could_not_be_written_leaves_the_one_before_and_nothing_else(tmp_path: Path):
    target = tmp_path / "ticket.json"
    write_whole(target, "before")
    with pytest.raises(ZeroDivisionError), file_aside(target) as aside:
        aside.write_text("half")
        1 / 0  # noqa: B018
    assert target.read_text() == "before"
    assert [*tmp_path.iterdir()] == [target]


def test_a_new_version_takes_the_place_of_those_of_its_own_name_alone(tmp_path: Path):
    others = ["shard-1.old.arrow", "shard-1.old.hnsw", "shard-10.old.arrow", "shard.old.arrow", "shard-1.5.old.arrow"]
    for name in others:
        (tmp_path / name).touch()
    with version_aside(tmp_path / "shard-1.new.arrow") as aside:
        aside.touch()
    assert {path.name for path in tmp_path.iterdir()} == {*others[1:], "shard-1.new.arrow"}


def test_a_folder_that_was_made_again_while_its_lock_was_waited_for_is_another_one(tmp_path):
    folder, ours = tmp_path / "folder", []

    def wait() -> None:
        with locked(folder) as got:
            ours.append(got)

    folder.mkdir()
    with locked(folder) as got:
        assert got
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        folder.rmdir()
        folder.mkdir()
    waiting.join()
    assert ours == [False]
