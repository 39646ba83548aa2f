"""What a push would change, by content: on both sides of each rule."""

import hashlib

import pytest

from am_assets.engines.hub.changes import Changes, Local, Remote, changes, record, recorded


def small(content: bytes) -> Remote:
    return Remote(len(content), hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest())


def large(content: bytes) -> Remote:
    return Remote(len(content), "of its pointer", hashlib.sha256(content).hexdigest())


@pytest.mark.parametrize("kind", [small, large])
def test_files_of_the_same_size_are_told_apart_by_what_is_in_them(kind) -> None:
    local = {"same": Local(b"ab"), "other": Local(b"cd"), "longer": Local(b"abc"), "new": Local(b"")}
    remote = {"same": kind(b"ab"), "other": kind(b"dc"), "longer": kind(b"ab")}
    assert changes(local, remote, []) == Changes(["new"], ["longer", "other"], [], ["same"])


def test_a_file_that_is_read_from_the_disk_has_the_same_hashes_as_its_bytes(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"some rows")
    there, here = Local(tmp_path / "file"), Local(b"some rows")
    assert (there.size, there.sha256, there.git_sha1) == (here.size, here.sha256, here.git_sha1)


def test_removed_is_what_lies_below_data_or_was_pushed_and_nothing_hidden() -> None:
    paths = ["data/old.parquet", "data/.keep", "database/a", "README.md", "LICENSE", ".gitattributes", ".github/a"]
    gone = changes({}, {path: small(b"") for path in paths}, ours=["README.md", ".gitattributes", ".github/a", "none"])
    assert gone.removed == ["README.md", "data/old.parquet"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"files": 3}', b'{"files": "README.md"}', b'{"files": [1]}', b"\xff", b"[" * 100_000],
)
def test_a_record_that_somebody_edited_names_nothing(content: bytes) -> None:
    assert recorded(content) == []
    assert recorded(record("plain", "0" * 32, ["b", "a"])) == ["a", "b"]
