"""A project whose tables and memo are in an S3 store: machines with folders of their own."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from am_assets.config.cluster import Cluster
from am_assets.engines.models.hnsw import Graphs
from am_assets.planning.shared import tried
from am_assets.storage import copies, segments
from am_assets.storage.atomic import file_aside, written_aside
from am_assets.storage.memo import Memo
from am_assets.storage.shared import objects, room
from am_assets.storage.shared.copies import Copies
from am_assets.storage.shared.database import open_database
from am_assets.storage.shared.marks import is_copy
from am_assets.storage.shared.objects import Objects
from am_assets.storage.stored import StoredTables
from am_assets_tests.careless import careless_store
from am_assets_tests.cluster.relay import Relay
from am_assets_tests.cluster.test_cluster import POLICY, asked, spawn, tables
from am_assets_tests.counted import Models, small_project
from am_assets_tests.desk import Desk
from am_assets_tests.server import Postgres
from am_assets_tests.services import am, environment, until
from am_assets_tests.students import write_tiny_student
from am_assets_tests.weed import KEYS, Weed

pytestmark = pytest.mark.slow
RELEASED = ("apply", "-r", "plain", "-s", "+sft_dataset")


@pytest.fixture
def project(tmp_path: Path, models: Models, address: str, weed: Weed, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A project of several machines with a store, with nothing asked yet."""
    for name, value in {**KEYS, "TEST_MODEL_KEY": "none"}.items():
        monkeypatch.setenv(name, value)
    desk = small_project(tmp_path / "data", models, questions=6, shards=2, start_timeout=120)
    desk.write("cluster.yaml", {"store": f"s3://project/{tmp_path.name}", "endpoint": weed.endpoint})
    for server in models.servers.values():
        server.bodies.clear()
        server.times.clear()
    return desk


def another(project: Desk, name: str) -> Desk:
    """The folder of another machine, with the same config files and nothing else."""
    folder = project.folder.with_name(name)
    shutil.copytree(project.folder, folder, ignore=shutil.ignore_patterns("assets", "memo", "history", "graphs"))
    return Desk(folder)


def files(folder: Path) -> dict[str, bytes]:
    release = folder / "assets" / "sft_dataset" / "plain"
    return {str(path.relative_to(release)): path.read_bytes() for path in release.rglob("*") if path.is_file()}


def test_machines_with_folders_of_their_own_make_what_one_makes_and_ask_nothing_twice(
    project: Desk, models: Models, weed: Weed, tmp_path: Path
) -> None:
    two = another(project, "two")
    both = [spawn(project.folder, "one", *RELEASED), spawn(two.folder, "two", *RELEASED)]
    until(lambda: len(asked(models)) > 5, "they are at it")
    weed.kill()  # a store that is away for a while is waited for
    time.sleep(16)
    threading.Thread(target=weed.start).start()
    said = [process.communicate(timeout=900)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert set(asked(models)) == {1} and len(asked(models)) > 20
    third = another(project, "third")
    plan = am(third.folder, "plan", *RELEASED[1:], "--json")
    assert plan.returncode == 0 and json.loads(plan.stdout)["steps"] == [], plan.stdout + plan.stderr
    alone = small_project(tmp_path / "alone", models, questions=6, shards=2, start_timeout=120)
    assert am(alone.folder, *RELEASED).returncode == 0
    third.write("cluster.yaml", {})
    apart = am(third.folder, *POLICY)
    assert apart.returncode == 2 and "cluster.yaml names no store: put `store` back" in apart.stderr
    assert am(third.folder, "cluster", "move").returncode == 0
    assert tables(third.folder) == tables(alone.folder)
    assert files(third.folder) == files(alone.folder) and len(files(alone.folder)) > 4


def test_what_one_machine_made_is_taken_to_the_store_and_nothing_is_asked_again(project: Desk, models: Models) -> None:
    settings = (project.folder / "cluster.yaml").read_text()
    (project.folder / "cluster.yaml").unlink()
    assert am(project.folder, *RELEASED).returncode == 0
    asked_before, made = asked(models), (tables(project.folder), files(project.folder))
    (project.folder / "cluster.yaml").write_text(settings)
    refused = am(project.folder, *RELEASED)
    assert refused.returncode == 2 and "has results that are in no store: `am cluster move` takes" in refused.stderr
    moved = am(project.folder, "cluster", "move")
    assert moved.returncode == 0 and "files of this project, read again and compared" in moved.stdout, moved.stderr
    assert "moved the records of" in moved.stdout and (tables(project.folder), files(project.folder)) == made
    two = another(project, "two")
    for machine in (two, project):
        machine.edit("plain", "release", license="mit")
    applied = am(two.folder, *RELEASED)
    assert applied.returncode == 0 and asked(models) == asked_before, applied.stdout + applied.stderr
    plan = am(project.folder, "plan", *RELEASED[1:], "--json")
    assert json.loads(plan.stdout)["steps"] == [], plan.stdout + plan.stderr
    policy = StoredTables(project.folder / "assets")
    assert ("license", '"mit"') not in policy.read("release_policy", "plain").rows()  # a copy that nothing read since
    project.write("cluster.yaml", {})
    back = am(project.folder, "cluster", "move")
    assert back.returncode == 0 and "all of it is here now" in back.stdout, back.stdout + back.stderr
    assert ("license", '"mit"') in policy.read("release_policy", "plain").rows()


def test_a_training_whose_machine_is_lost_goes_on_on_another_from_what_was_saved(
    project: Desk, weed: Weed, postgres: Postgres, address: str, tmp_path: Path
) -> None:
    trained = ("apply", "-r", "plain", "-s", "training_policy or sft_checkpoint")
    student = {"student": str(write_tiny_student(tmp_path / "tiny")), "gradient_checkpointing": False}
    project.edit("plain", "training", **student, batch_size=2, epochs=200, learning_rate=1e-3)
    project.write("hardware.yaml", {"cpu": {"device": "cpu", "save_steps": 10}})
    assert am(project.folder, *RELEASED).returncode == 0
    store = Objects(f"s3://project/{tmp_path.name}", weed.endpoint)

    def sent() -> list[str]:
        return [name for name in store.below("assets/checkpoints") if ".saved" in name]

    one = spawn(project.folder, "one", *trained)
    until(lambda: any(name.endswith(room.LIST) for name in sent()) or one.poll() is not None, "it was sent", 300)
    assert one.poll() is None, one.communicate()[0]
    one.kill()
    one.communicate()
    other = am(another(project, "two").folder, *trained)
    assert other.returncode == 0 and not sent(), other.stdout
    said = "select count(*) from event_logs where event like '%goes on after step %, which another machine saved%'"
    assert int(postgres.run("psql", "-d", address.rpartition("/")[2], "-tc", said)) == 1


@pytest.mark.usefixtures("keys")
def test_what_a_killed_process_sent_of_a_folder_goes_when_that_is_published(tmp_path: Path, weed: Weed) -> None:
    here = Copies(
        tmp_path / "one", Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint), lambda: None
    )
    copies.mount(here.root / "assets", here)
    folder = here.root / "assets" / "checkpoints" / ".trained.saved"
    lost = f"assets/checkpoints/{folder.name}/{'0' * 64}"
    here.objects.put(lost, Path(__file__))
    with written_aside(folder) as aside:
        (aside / "weights").write_bytes(b"of the next one")
    below = here.objects.below("assets/checkpoints")
    assert lost not in below and len(below) == 2


def test_another_database_at_the_same_prefix_is_refused(
    project: Desk, postgres: Postgres, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert am(project.folder, *POLICY).returncode == 0
    postgres.run("createdb", name := f"{address.rpartition('/')[2]}_other")
    monkeypatch.setenv("AM_DATABASE_URL", address.replace(address.rpartition("/")[2], name))
    taken = am(another(project, "two").folder, *POLICY)
    assert taken.returncode == 2 and "the store has a project already, and the database that" in taken.stderr


def test_what_is_wrong_with_a_store_is_said(
    project: Desk, weed: Weed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "RETRY_SECONDS", 0.5)

    def found(**changed: str) -> tuple[bool | None, str]:
        project.write("cluster.yaml", {"store": "s3://project/x", "endpoint": weed.endpoint, **changed})
        store = next(one for one in tried(project.folder) if one.name == "store")
        return store.there, f"{store.found} {store.remedy}"

    there, said = found()
    assert there and "conditions of writes" in said
    with careless_store() as careless:
        assert "does not keep the conditions of writes (If-None-Match, If-Match)" in found(endpoint=careless)[1]
        assert "make the bucket first" in found(endpoint=careless, store="s3://no-such/x")[1]
    for store in ("s3://project/x", "s3://project/403-501"):  # no codes of an answer
        away = found(endpoint="http://127.0.0.1:1", store=store)[1]
        assert "see that it runs, and that this machine may reach it" in away
    (tmp_path / "none").mkdir()
    with monkeypatch.context() as bare:
        bare.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
        bare.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        assert "this machine has no CA certificates: install them" in found()[1]
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    assert found()[0] is False and "AWS_SECRET_ACCESS_KEY are right, and may list, read" in found()[1]
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "AWS_SECRET_ACCESS_KEY are not set: export them on every machine" in found()[1]


@pytest.mark.usefixtures("keys")
def test_copies_beyond_their_limit_go_by_age_and_never_what_the_store_has_not(
    tmp_path: Path, weed: Weed, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint)
    tables, names = Path("assets") / "raw_pool", [f"{number}.parquet" for number in range(6)]
    maker = Copies(tmp_path / "one", cluster, lambda: None)
    copies.mount(maker.root / "assets", maker)
    for name in names:
        with file_aside(maker.root / tables / name) as aside:
            aside.write_bytes(os.urandom(20_000))
    with written_aside(maker.root / "assets" / "sft_checkpoint" / "plain") as aside:
        (aside / "weights").write_bytes(os.urandom(20_000))

    def process(**limit: float) -> Copies:
        return Copies(tmp_path / "two", cluster.model_copy(update=limit), lambda: None)

    here, checkpoint = tmp_path / "two" / tables, tmp_path / "two" / "assets" / "sft_checkpoint" / "plain"
    ended, living = process(), process()
    ended.bring(tmp_path / "two" / "assets")
    ended.room._readers.clear()
    living.here(here / "2.parquet")  # which it may read at any time
    with (here / "1.parquet").open("ab") as file:
        file.write(b"by hand")
    (here / "0.parquet.unsent").write_bytes(bytes(20_000))
    for hours, path in enumerate([here / "4.parquet", checkpoint.with_suffix(".files"), here / "5.parquet"]):
        age(path, 9 - hours)
    for path in [*here.glob("[0123].*")]:
        age(path, 99)  # the oldest
    fetching = process(cache_gb=111_000 / 1e9)
    fetching.here(here / "3.parquet")  # a copy: nothing to fetch
    assert len([*here.iterdir()]) == 7 and (checkpoint / "weights").exists()
    with file_aside(maker.root / tables / "6.parquet") as aside:
        aside.write_bytes(os.urandom(20_000))
    fetching.here(here / "6.parquet")
    left = {"0.parquet.unsent", "1.parquet", "2.parquet", "3.parquet", "5.parquet", "6.parquet"}
    assert {path.name for path in here.iterdir()} == left and not checkpoint.exists()
    fetching.here(here / "0.parquet")
    fetching.folder_here(checkpoint)
    for path in (here / "0.parquet", checkpoint / "weights"):
        assert path.read_bytes() == (tmp_path / "one" / path.relative_to(tmp_path / "two")).read_bytes()

    monkeypatch.setattr(room, "RESERVE_BYTES", 1 << 60)  # a disk that is nearly full
    process().here(here / "4.parquet")
    assert not (here / "5.parquet").exists() and (here / "0.parquet").exists()  # which a living process looked up


def test_a_graph_is_built_once_for_all_machines_and_its_older_versions_go(tmp_path: Path, weed: Weed) -> None:
    cluster = Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint)
    keepers = [Copies(tmp_path / name, cluster, lambda: None) for name in ("one", "two")]
    folders = [keeper.root / "graphs" for keeper in keepers]
    for folder, keeper in zip(folders, keepers, strict=True):
        copies.mount(folder, keeper)
    vectors = np.eye(40, 8, dtype=np.float32) + 1e-3
    Graphs(folders[0]).of("shard", vectors)
    (built,) = folders[0].iterdir()
    assert len(Graphs(folders[1]).of("shard", vectors)) == 40
    copy = folders[1] / built.name
    assert copy.read_bytes() == built.read_bytes() and is_copy(copy, keepers[1].objects.find(f"graphs/{built.name}"))
    Graphs(folders[1]).of("shard", vectors * 2)
    (newer,) = folders[1].iterdir()
    assert newer.name != built.name and [*keepers[0].objects.below("graphs")] == [f"graphs/{newer.name}"]


def age(path: Path, hours: float) -> None:
    found = path.stat()
    os.utime(path, ns=(time.time_ns() - int(hours * 3600e9), found.st_mtime_ns))


@pytest.mark.usefixtures("keys")
def test_the_parts_of_an_interrupted_upload_are_removed_by_the_next_that_has_parts(
    weed: Weed, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=weed.endpoint, region_name="us-east-1")
    monkeypatch.setattr(objects, "PART_BYTES", 6_000_000)
    for project in ("mine", "other"):
        at = {"Bucket": "project", "Key": f"{project}/assets/left"}
        upload = client.create_multipart_upload(**at)["UploadId"]
        client.upload_part(**at, UploadId=upload, PartNumber=1, Body=bytes(6_000_000))
    mine = Objects("s3://project/mine", weed.endpoint)

    def left() -> list[str]:
        return [one["Key"] for one in client.list_multipart_uploads(Bucket="project").get("Uploads", [])]

    mine.put("small", b"1")
    mine.put("large", bytes(6_000_001))  # it may still go on
    assert left() == ["mine/assets/left", "other/assets/left"]
    monkeypatch.setattr(objects, "UPLOAD_SECONDS", -1.0)
    Objects("s3://project/mine", weed.endpoint).put("large", bytes(6_000_001))
    assert left() == ["other/assets/left"]


STORES = """
import sys
from functools import partial
from pathlib import Path
import polars as pl
from am_assets.config.cluster import Cluster
from am_assets.storage import copies
from am_assets.storage.memo import Memo
from am_assets.storage.shared.copies import Copies
from am_assets.storage.shared.database import open_database
root = Path(sys.argv[1])
cluster = Cluster(store=sys.argv[2], endpoint=sys.argv[3])
copies.mount(root / "memo", Copies(root, cluster, partial(open_database, cluster, root / "memo")))
memo = Memo(root / "memo")
for number in range(2):
    memo.append("numbers", pl.DataFrame({"key": ["ab"[number]], "value": [number]}))
    print("stored", flush=True)
    sys.stdin.readline()
"""


def test_what_waits_for_the_store_outlives_its_process(tmp_path: Path, weed: Weed, address: str) -> None:
    relay = Relay(int(weed.endpoint.rpartition(":")[2]))
    store, endpoint = f"s3://project/{tmp_path.name}", f"http://127.0.0.1:{relay.port}"
    command = [sys.executable, "-c", STORES, str(tmp_path / "one"), store, endpoint]
    env = environment(tmp_path) | KEYS
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True) as process:
        assert process.stdin is not None and process.stdout is not None and process.stdout.readline() == "stored\n"
        relay.refuse()
        print("another", file=process.stdin, flush=True)
        folder = tmp_path / "one" / "memo" / "numbers"
        (waiting,) = until(lambda: [*folder.glob("*.unsent")], "it waits for the store", 20, 0.5)
        keeper = Copies(tmp_path / "one", Cluster(store=store, endpoint=endpoint), lambda: None)
        keeper._objects[os.getpid()] = Objects(store, weed.endpoint)
        names = [path.name for path in keeper.paths(folder, ".parquet")]
        assert len(names) == 1 and waiting.exists()  # its writer is at it
        process.kill()
    assert [path.name for path in keeper.paths(folder, ".parquet")] == [*names, waiting.name.removesuffix(".unsent")]
    assert not [*folder.glob("*.unsent")]


@pytest.mark.usefixtures("keys")
def test_what_was_measured_while_the_store_was_away_is_sent_later_and_merges_lose_nothing(
    tmp_path: Path, weed: Weed, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "RETRY_SECONDS", 0.5)
    cluster = Cluster(store=f"s3://project/{tmp_path.name}", endpoint=weed.endpoint)
    memos = []
    for name in ("one", "two"):
        folder = tmp_path / name / "memo"
        copies.mount(folder, keeper := Copies(tmp_path / name, cluster, partial(open_database, cluster, folder)))
        memos.append((Memo(folder), keeper))
    (one, keeper), (two, _) = memos
    rows = pl.DataFrame({"key": ["a", "b"], "value": [1, 2]})
    one.append("numbers", rows[:1])
    there = keeper.objects
    keeper._objects[os.getpid()] = Objects(cluster.store or "", "http://127.0.0.1:1")
    with pytest.raises(OSError, match="can't be used"):
        one.append("numbers", rows[1:])
    keeper._objects[os.getpid()] = there
    assert two.read("numbers", rows, rows.schema).equals(rows[:1])
    assert one.read("numbers", rows, rows.schema).equals(rows)
    assert two.read("numbers", rows, rows.schema).equals(rows)
    many = pl.DataFrame({"key": [f"{number:02}" for number in range(20)], "value": range(20)})
    for number in range(many.height):
        (one, two)[number % 2].append("many", many[number : number + 1])
    segments.merge(two.folder / "many")
    assert len(segments.listed(one.folder / "many")) == 1
    assert one.read("many", many, many.schema).equals(many)
    assert segments.keep_only(one.folder / "many", many[:5].select("key")) == 15
    assert two.read("many", many, many.schema).equals(many[:5])
