"""What a run was planned with, as tags, so that no machine carries it out with other code or other config files."""

from hashlib import sha256
from pathlib import Path

from am_assets.config.cluster import FILE

CODE_TAG, CONFIG_TAG = "am/code", "am/config"  # run tags
FOLDERS = ("recipes", "experiments")
APART = {FILE, "revisions.yaml"}  # what machines share; what runs themselves record


def config_version(data: Path, sources_file: Path) -> str:
    """A hash of the config files of a project."""
    folders = {data, sources_file.parent, *(data / name for name in FOLDERS)}
    files = {path for folder in folders for path in folder.glob("*.yaml")} | {sources_file.parent / "exclude.txt"}
    digest = sha256()
    for path in sorted(files, key=lambda path: (path.parent.name, path.name)):
        if path.name not in APART and path.is_file():
            digest.update(f"{path.name}\0".encode() + sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]


def refusal(host: str, wanted: dict[str, str], here: dict[str, str]) -> str | None:
    """Why a machine may not carry out a run that was planned with `wanted`; None where it may."""
    if wanted.get(CODE_TAG, here[CODE_TAG]) != here[CODE_TAG]:
        return (
            f"{host} has the am-assets {here[CODE_TAG]}, and the run was planned with {wanted[CODE_TAG]}: install the"
            " same on all machines, then apply again"
        )
    if wanted.get(CONFIG_TAG, here[CONFIG_TAG]) != here[CONFIG_TAG]:
        return (
            f"the config files are {here[CONFIG_TAG]} as {host} reads them, and the run was planned with"
            f" {wanted[CONFIG_TAG]}: they were edited meanwhile, or its folder is another one. Apply again"
        )
    return None
