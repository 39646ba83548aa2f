"""Where processes of one user on one machine meet: limits of providers, servers of models. And its address."""

import os
import socket
import stat
import tempfile
from pathlib import Path

from am_assets.config.files import ConfigError


def machine_folder() -> Path:
    """A folder of this user; in a shared temporary folder anybody may have created one of that name before."""
    folder = Path(tempfile.gettempdir()) / f"am-assets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to somebody else: remove it, or set TMPDIR to a folder of your own")
    return folder


def address_here() -> str:
    """The address by which other machines of the cluster reach this one."""
    head = os.environ.get("RAY_ADDRESS", "127.0.0.1").partition(":")[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((head, 1))  # sends nothing
        address: str = probe.getsockname()[0]
    return address
