"""Python packages that programs and tests may import: a folder that a sandbox sees read-only.

Which ones, with their versions, says `code.packages` of `instruments.yaml`; `packages.txt` beside this module is the
default. The image has them built in (`build_image.sh`, the Dockerfile), under a tag of their own; for bubblewrap they
are installed once by pip, into the cache of the user.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from am_assets.engines.sandbox.protocol import logger

IN_IMAGE = "/opt/packages"
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=0", "--timeout=10"]


def cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "am-assets"


def digest(packages: Sequence[str]) -> str:
    """A short name of this set of packages, as in `build_image.sh`."""
    lines = "".join(f"{package}\n" for package in sorted(packages))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


@cache
def installed(packages: tuple[str, ...]) -> Path | None:
    """The folder with these packages for this interpreter, filled if it is not there; None without any.

    None too where they can't be installed, with a warning: what needs them is then not told, and tried again.
    """
    if not packages:
        return None
    home = cache_home() / "sandbox-packages"
    folder = home / f"{digest(packages)}-{sysconfig.get_config_var('SOABI')}"
    if folder.is_dir():
        return folder
    logger.info("installing the sandbox's packages into %s, once", folder)
    try:
        home.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=home, prefix="part-"))
        part.chmod(0o755)
        command = [sys.executable, *PIP, "--only-binary=:all:", "--target", str(part), *packages]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode == 0:
            with suppress(OSError):  # another process was first
                part.rename(folder)
        shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        logger.warning("the sandbox has no packages: %s", error)
        return None
    if not folder.is_dir():
        logger.warning("the sandbox has no packages: pip can't install them: %s", ended.stderr.strip()[-500:])
        return None
    return folder
