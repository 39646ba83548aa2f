"""What `make run` asks first: which Python to install with, and what the machine lacks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ["bash", "sed", "uname"]  # what the script itself uses
OTHER = "import sys, sysconfig; "  # how a Python differs from the one that runs this test


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with little on it but the package manager of Debian."""
    for tool in TOOLS:
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    program(tmp_path / "apt-get", "exit 1")
    return tmp_path


def program(path: Path, does: str) -> None:
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def python(machine: Path, name: str, differs: str = "") -> None:
    """A Python of that name, which the real one plays; `differs` is run when it starts."""
    stage = machine / f"{name}.site"
    stage.mkdir()
    (stage / "sitecustomize.py").write_text(differs)
    program(machine / name, f'PYTHONPATH="{stage}" exec "{sys.executable}" "$@"')


def compiler(machine: Path) -> None:
    name = subprocess.run(
        [sys.executable, "-c", "import sysconfig; print((sysconfig.get_config_var('CXX') or 'c++').split()[0])"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    program(machine / name, f'PATH="{os.environ["PATH"]}" exec {name} "$@"')


def asked(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = [str(machine / "bash"), str(ROOT / "bin" / "usable-python.sh"), *arguments]
    return subprocess.run(script, env={"PATH": str(machine)}, capture_output=True, text=True)


def test_the_newest_that_can_install_is_taken(machine: Path) -> None:
    compiler(machine)
    python(machine, "python3.11")
    assert asked(machine).stdout == f"{machine}/python3.11\n"
    python(machine, "python3.12")
    assert asked(machine).stdout == f"{machine}/python3.12\n"
    program(machine / "python3.13", "echo 'python3.13: command not found' >&2; exit 127")  # a shim that leads nowhere
    assert asked(machine).stdout == f"{machine}/python3.12\n"


def test_one_without_headers_is_passed_over_where_an_older_has_them(machine: Path) -> None:
    compiler(machine)
    python(machine, "python3.13", OTHER + "sysconfig.get_path = lambda name: '/nowhere'")
    python(machine, "python3.11")
    assert asked(machine).stdout == f"{machine}/python3.11\n"


@pytest.mark.parametrize(
    ("differs", "compiles", "says"),
    [
        ("", False, "a C++ compiler ("),
        (OTHER + "sysconfig.get_path = lambda name: '/nowhere'", True, "the headers of python3.12 (/nowhere/Python.h)"),
        (OTHER + "sys.modules['ensurepip'] = None", True, "venv of python3.12"),
    ],
)
def test_what_lacks_is_named_with_the_command_that_installs_it(
    machine: Path, differs: str, compiles: bool, says: str
) -> None:
    python(machine, "python3.12", differs)
    if compiles:
        compiler(machine)
    refused = asked(machine)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"  - {says}" in refused.stderr
    assert refused.stderr.count("  - ") == 1
    assert "apt-get install -y python3-venv python3-dev g++ make" in refused.stderr


def test_no_python_at_all_or_one_too_old_or_too_new_is_said(machine: Path) -> None:
    compiler(machine)
    assert "  - Python 3.11, 3.12 or 3.13\n" in asked(machine).stderr
    for version in ("(3, 10)", "(3, 14)"):
        python(machine, "another", OTHER + f"sys.version_info = {version}")
        assert "  - Python 3.11, 3.12 or 3.13\n" in asked(machine, "another").stderr
        shutil.rmtree(machine / "another.site")


def test_the_command_is_that_of_the_machine(machine: Path) -> None:
    (machine / "apt-get").rename(machine / "dnf")
    assert "dnf install -y python3-devel gcc-c++ make" in asked(machine).stderr


def test_a_python_that_is_named_is_the_one_taken(machine: Path) -> None:
    compiler(machine)
    python(machine, "python3.13")
    python(machine, "mine")
    assert asked(machine, str(machine / "mine")).stdout == f"{machine}/mine\n"


def test_make_says_it_before_anything_is_installed(machine: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (machine / "make").symlink_to(str(shutil.which("make")))
    (machine / "sh").symlink_to("/bin/sh")
    clone = tmp_path_factory.mktemp("clone")
    for name in ("Makefile", "bin", "pyproject.toml", "constraints.txt"):
        (clone / name).symlink_to(ROOT / name)
    made = subprocess.run(
        [str(machine / "make"), "run"], cwd=clone, env={"PATH": str(machine)}, capture_output=True, text=True
    )
    assert made.returncode != 0
    assert "apt-get install -y python3-venv python3-dev g++ make" in made.stderr
    assert not (clone / ".venv").exists()
