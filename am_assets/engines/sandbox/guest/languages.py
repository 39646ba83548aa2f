"""Languages other than Python: the commands that each needs, how a program is compiled, once, and how a test runs it.

This runs on the candidate's side, as `scripts.py` does; checkers in C++ are compiled by it on the judge's.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from am_assets.engines.sandbox.guest.wire import DETAIL

COMPILER = "/usr/bin/g++"
OPTIONS = ["-std=gnu++17", "-O2", "-w"]  # those that a header compiled in advance depends on
headers: list[str] = []  # folders with headers compiled in advance
folders = ["/usr/bin"]  # where commands are looked for
CHECKERS_SHARE = 3  # of the time to compile a program, for a checker
RESERVED_MB = 4096  # address space that the runtimes of Java and JavaScript reserve and do not use
MAIN = b"\x01\x00\x04main", b"\x01\x00\x16([Ljava/lang/String;)V"  # name and type of `main` in a class file
PUBLIC = re.compile(
    r"^([ \t]*)public\s+(?:(?:abstract|final|sealed|strictfp)\s+)*(?:class|interface|enum|record)\s+(\w+)", re.M
)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
# Of an ES module: imports, exports, and `await` outside of functions, as what is not indented is.
MODULE = re.compile(r"^\s*(?:import\s+[\w*{'\"]|export\s)|^(?:(?:const|let|var)\s[^=\n]*=\s*)?await\b", re.M)
JAVA = "-Xshare:auto -XX:+UseSerialGC -XX:-UsePerfData -XX:CompressedClassSpaceSize=64m -XX:ReservedCodeCacheSize=64m"
JAVAC = "-proc:none -nowarn -encoding UTF-8"
FOREIGN_PACKAGE = re.compile(r"error: package ((?!java\.|javax\.)[a-z]\w*)[\w.]* does not exist")


class Ended(Exception):
    """A run failed: the message is a status of the sandbox, a colon and the output."""


class Language(NamedTuple):
    """`commands` have to be found; `needs` names them for people; `own_mb` is the memory that the runtime takes beside
    that of the program. `prepared` compiles a source in the working directory and returns the command of a test."""

    needs: str
    commands: tuple[str, ...]
    own_mb: int
    prepared: Callable[[str, dict[str, Any]], list[str]]


def located(command: str) -> str | None:
    """The path of a command, None where it is not found."""
    return next((path for path in (f"{folder}/{command}" for folder in folders) if os.access(path, os.X_OK)), None)


def found() -> list[str]:
    """The languages whose commands are there."""
    return [name for name, language in LANGUAGES.items() if all(map(located, language.commands))]


def memory(language: str, limits: dict[str, Any]) -> dict[str, int]:
    """Limits on the memory of a program, in bytes, by the names of `resource`. Java and JavaScript reserve more address
    space than they use, so of theirs only what is writable counts."""
    own = LANGUAGES[language].own_mb if language in LANGUAGES else 0
    if not own:
        return {"AS": limits["memory_mb"] << 20}
    return {"AS": limits["memory_mb"] + RESERVED_MB << 20, "DATA": limits["memory_mb"] + own << 20}


def compiled(command: list[str], seconds: float) -> None:
    """Run a compiler. Raises Ended."""
    import subprocess  # loads `threading`, which slows each fork

    try:
        made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Ended(f"compile_error: not compiled after {seconds:g} s") from None
    if made.returncode:
        said = (made.stderr or made.stdout)[:DETAIL].decode(errors="replace")
        if lacked := FOREIGN_PACKAGE.search(said):
            raise Ended(f"undecided: {said}\nNo module named '{lacked[1]}'")
        raise Ended(f"compile_error: {said}")


def cpp(source: str, limits: dict[str, Any]) -> list[str]:
    write("program.cpp", source)
    linker = ["-fuse-ld=gold"] if located("ld.gold") else []  # takes a third of the time of the default one
    command = [COMPILER, *OPTIONS, *linker, "-fmax-errors=3", "-x", "c++", "program.cpp", "-o", "program"]
    compiled([*command, *(f"-I{folder}" for folder in headers)], limits["compile_seconds"])
    return [os.path.abspath("program")]


def checker(source: str, limits: dict[str, Any]) -> None:
    """Compile a checker in C++, without optimizing: testlib is large. Raises Ended."""
    write("checker.cpp", source)
    command = [COMPILER, *OPTIONS, "-O0", "-fmax-errors=3", "-x", "c++", "checker.cpp", "-o", "checker"]
    compiled(command, CHECKERS_SHARE * limits["compile_seconds"])


def java(source: str, limits: dict[str, Any]) -> list[str]:
    """Its class is `Main`, or else the public one, or the first that has a `main`."""
    public = sorted(PUBLIC.findall(COMMENT.sub("", source)), key=lambda one: len(one[0]))
    name = public[0][1] if public else "Main"
    write(f"{name}.java", source)
    heap = f"-Xmx{limits['memory_mb']}m"
    own = [f"-J{option}" for option in [*JAVA.split(), "-XX:TieredStopAtLevel=1", heap]]
    compiled([str(located("javac")), *own, *JAVAC.split(), "-d", "classes", f"{name}.java"], limits["compile_seconds"])
    made = sorted(Path("classes").rglob("*.class"), key=lambda path: (path.stem != "Main", path.stem != name, path))
    with_main = [path for path in made if all(word in path.read_bytes() for word in MAIN)]
    if not with_main:
        raise Ended("compile_error: no class has a main method")
    main = ".".join(with_main[0].relative_to("classes").with_suffix("").parts)
    return [str(located("java")), *JAVA.split(), heap, "-Xss64m", "-cp", os.path.abspath("classes"), main]


def javascript(source: str, limits: dict[str, Any]) -> list[str]:
    name = "program.mjs" if is_module(source) else "program.cjs"
    write(name, source)
    options = ["--v8-pool-size=1", "--stack-size=60000", f"--max-old-space-size={limits['memory_mb']}"]
    return [str(located("node")), *options, os.path.abspath(name)]


def is_module(source: str) -> bool:
    """Is a program in JavaScript an ES module, which has no `require`?"""
    return MODULE.search(source) is not None and "require(" not in source


def write(name: str, source: str) -> None:
    with open(name, "w", encoding="utf-8", errors="replace") as file:
        file.write(source)


LANGUAGES = {
    "cpp": Language("g++", ("g++",), 0, cpp),
    "java": Language("java", ("java", "javac"), 1024, java),
    "javascript": Language("node", ("node",), 512, javascript),
}
