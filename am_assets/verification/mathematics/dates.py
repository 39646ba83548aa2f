"""Dates with the name of a month, in either order, and those of ISO 8601. "7/4/1776" may be of July or of April."""

import re

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
DAY = r"(?P<day>[0-3]?\d)(?:st|nd|rd|th)?"
FORMS = [
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"{MONTH} {DAY}(?:(?:, ?| )(?P<year>\d{{4}}))?",
        rf"(?:the )?{DAY}(?: of)? {MONTH}(?:(?:, ?| )(?P<year>\d{{4}}))?",
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    )
]


def date(text: str) -> tuple[str, int, int] | None:
    """(year, month, day) of `text`, the year empty where it is left out; None if it is no date.

    >>> date("July 4, 1776"), date("the 4th of July")
    (('1776', 7, 4), ('', 7, 4))
    """
    for form in FORMS:
        if found := form.fullmatch(" ".join(text.split()).strip(" .")):
            month = found["month"]
            number = int(month) if month.isdigit() else MONTHS.index(month[:3].lower()) + 1
            return found["year"] or "", number, int(found["day"])
    return None
