"""Licences of data by the identifiers that the Hugging Face hub uses, and which of several is the strictest.

An order of restrictions, no legal advice: two licences may contradict each other, and terms of a teacher come on top.
"""

import re
from collections.abc import Iterable

UNKNOWN = "unknown"
# From free to restricted. One that is in no line counts as `other`: who reads it has to look.
ORDER = [
    "cc0-1.0 unlicense pddl wtfpl public-domain",
    "mit apache-2.0 bsd bsd-2-clause bsd-3-clause isc zlib cc-by-2.0 cc-by-3.0 cc-by-4.0 odc-by cdla-permissive-1.0"
    " cdla-permissive-2.0",
    "cc-by-sa-3.0 cc-by-sa-4.0 odbl cdla-sharing-1.0 lgpl-3.0 mpl-2.0 gpl-2.0 gpl-3.0 agpl-3.0 gfdl",
    "openrail openrail++ bigscience-openrail-m bigcode-openrail-m llama2 llama3 llama3.1 llama3.2 llama3.3 gemma",
    "cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0",
    "cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0",
    "cc-by-nd-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0",
    "other",
    UNKNOWN,
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names.split()}
# Words of names in full, with what they are in identifiers.
IN_FULL = {
    r"\([^)]*\)|,": "", "creative-commons": "cc", "attribution": "by", "non-?commercial": "nc", "share-?alike": "sa",
    "no-?deriv(?:ative)?s": "nd", "gnu-affero-general-public": "agpl", "gnu-lesser-general-public": "lgpl",
    "gnu-general-public": "gpl", "(?:^the|^a|licen[sc]e|version|international|unported)(?=-|$)": "",
    r"\bv(?=\d)": "",
}  # fmt: skip
MOST_CHARS = 80  # longer text is no name of a licence


def normalized(name: str) -> str:
    """The identifier in a spelling of it; `unknown` for text that can't be one.

    >>> normalized("Apache License, Version 2.0"), normalized("MIT License"), normalized("CC BY-NC 4.0")
    ('apache-2.0', 'mit', 'cc-by-nc-4.0')
    """
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    for words, short in IN_FULL.items():
        plain = re.sub(words, short, plain)
    plain = re.sub("-{2,}", "-", plain).strip("-")
    return plain if plain and len(plain) <= MOST_CHARS and "\n" not in name.strip() else UNKNOWN


def strictest(names: Iterable[str | None]) -> str:
    """The most restricting of the licences; one without a name counts as unknown, which is the strictest.

    >>> strictest(["mit", "cc-by-nc-4.0", "apache-2.0"])
    'cc-by-nc-4.0'
    """
    return max((name or UNKNOWN for name in names), key=lambda name: (rank(name), name), default=UNKNOWN)


def rank(name: str) -> int:
    return RANK.get(name, RANK["other"])
