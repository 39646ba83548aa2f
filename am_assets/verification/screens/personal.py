"""The screen `personal_data`: mail addresses and phone numbers that may belong to somebody.

Not personal are addresses of roles, of reserved and made-up domains, numbers reserved for fiction, and those that no
person has (free calls). Addresses are checked by email-validator, without a look-up, and the list of public suffixes;
numbers by phonenumbers, Google's library.
"""

import re
from collections.abc import Iterator
from functools import cache

from am_assets.verification.screens.base import EVERYWHERE, Screen

MAIL = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}"
INTERNATIONAL = r"\+[1-9](?:[ ().-]{0,2}\d){7,14}"
NORTH_AMERICAN = r"\(?\b[2-9]\d{2}(?:\) ?|[-.])[2-9]\d{2}[-. ]\d{4}\b"
CHINESE = r"\b1[3-9]\d[- ]?\d{4}[- ]?\d{4}\b"
ROLES = re.compile(
    r"(?:info|support|sales|marketing|abuse|noc|security|postmaster|hostmaster|webmaster|admin|administrator|contact"
    r"|help|helpdesk|office|hello|service|customer-?service|team|press|jobs|hr|privacy|billing|feedback|git|root"
    r"|no-?reply|do-?not-?reply|you|your|your[._-]?\w+|my[._-]?e?mail|user\d*|user[._-]?name|name|e?mail|address|someone"
    r"|somebody|anyone|me|recipient|sender|receiver|from|to|test\w*|example|sample|foo|bar|baz|abc|xyz|demo"
    r"|first\.?last|j(?:ohn|ane)?[._-]?doe\d*|local-?part|alice|bob)",
    re.IGNORECASE,
)
MADE_UP = re.compile(
    r"(?:example|sample|test|domain|your[\w-]*|my-?(?:domain|company|site|server)|(?:some|any|other)[\w-]*|e?mail|email"
    r"|company|website|site|foo|bar|baz|foobar|abc|xyz|server|host|localhost|provider|organi[sz]ation|university|school"
    r"|invalid|fake[\w-]*|dummy|[\w-]?)",
    re.IGNORECASE,
)
# Set aside for films and books in the United States, the United Kingdom and Australia.
FICTIONAL = re.compile(
    r"\+1\d{3}55501\d\d|\+44(?:2079460|7700900|1\d\d4960)\d{3}|\+61(?:[2378](?:5550|7010)\d{4}|491570\d{3})"
)
PLAYFUL = re.compile(r"1234567|7654321|(\d)\1{5}|(\d\d)\2{3}|13800138000")
CUE = re.compile(
    r"(?:phone|call|tel|mobile|cell|fax|contact|text|whats ?app|dial|reach|number|电话|手机|联系|致电|号码)"
    r"[^\n]{0,30}$",
    re.IGNORECASE,
)
# What may stand before a plus that is no sum: nothing, punctuation or a word, but no digit, variable or bracket.
BEFORE_PLUS = re.compile(r"(?:^|[\n:;,(\"'“‘>|*：，（。]|[^\W\d_]{2,}|[\u4e00-\u9fff])\s*$")
SUM = re.compile(r"\w|/|[.,-]\d|\s*[\^*=+<>\\$]")  # behind a number that is calculated with
KINDS_OF_PERSONS = (0, 1, 2, 6, 7)  # phonenumbers.PhoneNumberType: fixed, mobile, either, voice over IP, personal


def confirm(text: str) -> str | None:
    """The first address or number, masked."""
    return next((shown for shown, _ in found(text)), None)


def found(text: str) -> Iterator[tuple[str, str]]:
    """(what is shown of it, it as it stands there) of the addresses, then of the numbers in a short text."""
    yield from _addresses(text)
    yield from _numbers(text)


def _addresses(text: str) -> Iterator[tuple[str, str]]:
    for match in re.finditer(MAIL, text):
        before, after = text[: match.start()], text[match.end() :]
        credentials = re.search(r"://\S*$", before)  # https://user:password@host
        if not credentials and not after.startswith(("(", "[")) and _persons(match[0]):
            name, _, domain = match[0].partition("@")
            yield f"mail address {name[0]}…@{domain[0]}….{domain.rpartition('.')[2]}", match[0]


def _persons(address: str) -> bool:
    """Whether an address may be a person's."""
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    suffix = _suffixes().publicsuffix(checked.ascii_domain)
    if suffix is None or ROLES.fullmatch(checked.local_part):
        return False
    owner = checked.ascii_domain.removesuffix(f".{suffix}").rpartition(".")[2]
    return checked.ascii_domain != suffix and not MADE_UP.fullmatch(owner)


@cache
def _suffixes():
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number, number_type

    for pattern, region in ((INTERNATIONAL, None), (NORTH_AMERICAN, "US"), (CHINESE, "CN")):
        for match in re.finditer(pattern, text):
            before, written = text[: match.start()], match[0]
            allowed = BEFORE_PLUS.search(before) if region is None else CUE.search(before) or written.startswith("(")
            if not allowed or SUM.match(text, match.end()):
                continue
            for found in PhoneNumberMatcher(written, region, Leniency.STRICT_GROUPING):
                number = format_number(found.number, PhoneNumberFormat.E164)
                made_up = FICTIONAL.match(number) or PLAYFUL.search(number)
                if number_type(found.number) in KINDS_OF_PERSONS and not made_up:
                    yield f"phone number +{found.number.country_code} …{number[-2:]}", written


HINTS = (MAIL, INTERNATIONAL, NORTH_AMERICAN, CHINESE)
SCREEN = Screen("personal_data", EVERYWHERE, HINTS, confirm, prose=True)
