"""What kept a test from deciding anything, as the error that ended it says: a name or a checker.

Of a module that is not there the sandbox says so itself.
"""

import re
import sys

from am_assets.verification.programs.instrumented_tests import Runnable
from am_assets.verification.programs.names import names_of
from am_assets.verification.programs.prelude import OUTSIDE, functions

ERROR = re.compile(r"^[\w.]*(?:Error|Exception|Exit|Fault|Interrupt)\b(?::.*)?$", re.M)
# Of functions, those that tests compare with; any other may be the one that was asked for.
COMPARED_WITH = {"isclose", "isnan", "inf", "nan", "pi", "deque", "defaultdict", "namedtuple", "pytest"}
NAME = re.compile(r"NameError: name '(\w+)' is not defined")


def lacking(detail: str, program: str, tests: Runnable) -> str | None:
    """The reason for `unverifiable`, None where the program is at fault; `detail` is of a test that ended by an error.

    A name that the tests use counts if nobody defines it, while the program defines the one that was asked for. Where
    the tests don't say which that is, it has to be one of Python's library, and another has to be defined: else the
    program may lack what was asked for.
    """
    last = (ERROR.findall(detail) or [""])[-1]
    if (name := NAME.match(last)) and name[1] in tests.wanted:
        bound = names_of(program).bound
        if name[1] not in bound and (tests.asked in bound or (of_the_library(name[1]) and tests.wanted & bound)):
            return f"tests: nobody defines {name[1]}"
    return f"tests: checker: {last.partition(': ')[2]}" if "CheckerFault" in last and tests.is_script else None


def of_the_library(name: str) -> bool:
    is_class = name[:1].isupper() and name in functions()
    return is_class or name in COMPARED_WITH or name in OUTSIDE or name in sys.stdlib_module_names
