"""Figures in words: counts with their noun, and spans of time."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `2,000 rows`; `plural` where it takes more than an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def lasting(seconds: float) -> str:
    """`0.4 s`, `45 s`, `4 min 26 s`, `1 h 20 min`: two units at most."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_of_hour = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes_of_hour} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def roughly(seconds: float) -> str:
    """For estimates: `45 s`, `4 min`, `1 h 20 min`."""
    if 60 <= seconds < 3600:
        return f"{round(seconds / 60)} min"
    return lasting(seconds) if seconds >= 10 else f"{max(round(seconds), 1)} s"
