"""`bits/stdc++.h` compiled in advance, which takes two thirds off the time to compile a short C++ program.

For bubblewrap it is made by the host's g++ when the first C++ program comes, into a folder that sandboxes see
read-only; the image has it built in (`build_image.sh --cpp`). g++ ignores one of another version or with other options.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from am_assets.engines.sandbox.guest.languages import COMPILER, OPTIONS
from am_assets.engines.sandbox.packages import cache_home
from am_assets.engines.sandbox.protocol import logger

IN_IMAGE = "/opt/headers"
HEADER = "bits/stdc++.h"


@cache
def folder() -> Path | None:
    """The folder for the header of this g++, which may be empty yet; None where there is no g++."""
    if not os.access(COMPILER, os.X_OK):
        return None
    version = subprocess.run([COMPILER, "--version"], capture_output=True, text=True).stdout
    name = hashlib.sha256(f"{version}{OPTIONS}".encode()).hexdigest()[:12]
    try:
        made = cache_home() / "sandbox-headers" / name
        (made / "bits").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        logger.warning("C++ is compiled without a header compiled in advance: %s", error)
        return None
    return made


@cache
def compiled() -> None:
    """Fill the folder, once; programs are compiled without where that fails."""
    if (home := folder()) is None or (made := home / f"{HEADER}.gch").exists():
        return
    part = Path(tempfile.mkdtemp(dir=home)) / "part.gch"
    include = f"#include <{HEADER}>\n"
    # Compiled as the system's own header, by its path, so that `#include <bits/stdc++.h>` finds it first.
    listed = subprocess.run([COMPILER, *OPTIONS, "-x", "c++", "-M", "-"], input=include, capture_output=True, text=True)
    system = next((word for word in listed.stdout.split() if word.endswith(HEADER)), None)
    command = [COMPILER, *OPTIONS, "-x", "c++-header", str(system), "-o", str(part)]
    if system and subprocess.run(command, capture_output=True).returncode == 0:
        part.chmod(0o644)
        part.rename(made)
    shutil.rmtree(part.parent, ignore_errors=True)
