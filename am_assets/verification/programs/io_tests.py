"""Input-output tests, translated into Python that the sandbox runs.

Two forms, as `datasets/cases.py` writes them, with as many `outputs` as `inputs`:

- {"fn_name": "add", "inputs": [[1, 2]], "outputs": [3]}: calls of a function or of a method of `Solution`;
- {"inputs": ["1 2\\n"], "outputs": ["3\\n"]}: a script, by standard input and output; with "checker", the source of a
  program in Python or C++, that decides instead of a comparison.

An output of a call that is a list of one may stand for its item, as in APPS; not where the table says "wrapped": false.
What is equal is defined in `engines/sandbox/guest/tables.py`; the instrument sets its tolerance. Unit tests are read in
`unit_tests.py`.
"""

import binascii
import json
import re
from typing import Any

from am_assets.config.instruments import Code
from am_assets.datasets.cases import canonical
from am_assets.datasets.values import Fault
from am_assets.engines.sandbox.guest import started, tables
from am_assets.verification.programs.instrumented_tests import Runnable
from am_assets.verification.programs.names import names_asked_for, parse
from am_assets.verification.programs.prelude import imports_missing
from am_assets.verification.programs.unit_tests import Lacking, UnusableTests, read_tests

TESTLIB = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<](?:[\w./]*/)?testlib\.h[">].*$', re.M)
IMPORTED = "imported('Solution', {!r})"  # the function of a program in Python, see `tables.imported`
AS_FILE = re.compile(r"""\bsubprocess\b[^\0]*\bsolution\.py["']""")
OVER_STDIN = "over_stdin(run_program)"  # that of a script with a harness


def read_cases(test_cases: str | None, instrument: Code) -> Runnable:
    r"""The tests of a question, of any form that `datasets.cases.canonical` knows. Raises UnusableTests.

    >>> read_cases('{"inputs": ["1 2\\n"], "outputs": ["3\\n"]}', Code()).is_script
    True
    """
    try:
        text = canonical(test_cases)
    except Fault as fault:
        raise UnusableTests(str(fault).removeprefix("tests: ")) from None
    if text is None:
        raise UnusableTests("none given")
    table = json.loads(text)
    if "inputs" not in table:
        return code_tests(table, instrument)
    return calls(table, instrument) if table.get("fn_name") is not None else scripts(table, instrument)


def calls(table: dict[str, Any], instrument: Code) -> Runnable:
    """Calls of a function, or of a method of `Solution`, with arguments and results in JSON."""
    inputs, outputs, function = table["inputs"], table["outputs"], table["fn_name"]
    function = function.removeprefix("Solution().").removeprefix("Solution.")
    if not function.isidentifier():
        raise UnusableTests("fn_name has to be a name")
    if not all(isinstance(arguments, list) for arguments in inputs):
        raise UnusableTests("each input has to be a list of arguments")
    wrapped = table.get("wrapped") is not False and all(isinstance(one, list) and len(one) == 1 for one in outputs)
    values = (inputs[: instrument.max_tests], outputs[: instrument.max_tests], wrapped, instrument.float_tolerance)
    return Runnable(
        call("run_calls", ["__test__", IMPORTED.format(function)], *values),
        tests=len(values[0]),
        wanted=frozenset([function]),
        function=None if all(output is None for output in outputs) else function,
    )


def over_stdin(tests: Runnable) -> Runnable:
    """Calls of a function, for a script that takes the arguments by standard input and prints the result, in JSON."""
    own = IMPORTED.format(tests.function)
    return tests._replace(test_code=tests.test_code.replace(own, OVER_STDIN, 1), is_script=True)


def scripts(table: dict[str, Any], instrument: Code) -> Runnable:
    """Runs of a program on standard input."""
    checker = table.get("checker")
    if checker is not None and not isinstance(checker, str):
        raise UnusableTests("checker has to be the source of a program")
    in_python = isinstance(checker, str) and parse(checker) is not None
    compiled = with_testlib(checker, instrument) if isinstance(checker, str) and not in_python else None
    inputs, outputs = (table[name][: instrument.max_tests] for name in ("inputs", "outputs"))
    decides = tables.COMPILED if compiled else checker
    compared = tables.DECIMALS if instrument.output == tables.DECIMALS else instrument.whitespace
    settings = (compared, instrument.float_tolerance, decides, instrument.timeout_seconds)
    test_code = call("run_scripts", ["__test__", "run_program"], inputs, outputs, *settings)
    return Runnable(test_code, is_script=True, tests=len(inputs), checker=compiled)


def with_testlib(checker: str, instrument: Code) -> str:
    """A checker in C++, with the header of testlib in place of its inclusion. Raises Lacking where the instrument has
    none, UnusableTests where it is in another language."""
    if "#include" not in checker.replace(" ", ""):
        raise UnusableTests("needs checker, which is no program in Python")
    if TESTLIB.search(checker) is None:
        return checker
    if instrument.testlib is None:
        raise Lacking("needs testlib.h")
    header = f'{instrument.testlib.read_text(errors="replace")}\n#line 1 "checker.cpp"\n'
    return TESTLIB.sub(lambda _: header, checker, 1)


def code_tests(tests: dict[str, Any], instrument: Code) -> Runnable:
    """Tests in code, with the modules that they use and do not import. Those that start the program as a file have a
    script for it."""
    test_code = (imports_missing(tests["test_code"]) if instrument.prelude else "") + tests["test_code"]
    if as_file := AS_FILE.search(test_code) is not None:
        test_code = f"from {started.__name__} import start_by\nstart_by(run_program)\n{test_code}"
    asked = re.match(r"\w+", tests["test_entry_point"] or "")
    return read_tests(json.dumps(tests | {"test_code": test_code}), instrument.max_tests)._replace(
        wanted=names_asked_for(tests["test_code"], tests["test_entry_point"]),
        asked=asked and asked[0],
        is_script=as_file,
    )


def call(function: str, own: list[str], *arguments: Any) -> str:
    """Source text that calls a function of `tables` with `own` expressions and with arguments, which are packed: what
    the judge does by the words of tests it shall not do by those of their values."""
    packed = binascii.b2a_base64(json.dumps(arguments).encode(), newline=False)
    return (
        f"import binascii, json\nfrom {tables.__name__} import imported, over_stdin, run_calls, run_scripts\n"
        f"{function}({', '.join(own)}, *json.loads(binascii.a2b_base64({packed!r})))"
    )
