"""The screen `secret`: keys and tokens that are known by their form.

The forms are those of detect-secrets, and a few that it lacks. Its rules on entropy, on names of variables, on URLs
with passwords and on JSON web tokens are left out: in code that teaches they mostly find examples.
"""

import re
from collections.abc import Iterator
from functools import cache

from detect_secrets.filters.heuristic import is_sequential_string
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.openai import OpenAIDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector

from am_assets.runtime.wording import counted
from am_assets.verification.screens.base import EVERYWHERE, Screen


class PrivateKey(RegexBasedDetector):
    """With the key itself: its first line alone is named wherever such files are explained."""

    secret_type = "Private Key"
    denylist = (
        re.compile(
            r"BEGIN (?:[A-Z0-9]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\n)+"
            r"(?:[\w-]+: .{0,200}\s+){0,5}[A-Za-z0-9+/=]{40,}"
        ),
    )


class ServiceKey(RegexBasedDetector):
    secret_type = "Service Key"
    denylist = (
        re.compile(r"AIza[0-9A-Za-z_-]{35}"),  # Google
        re.compile(r"github_pat_[0-9A-Za-z_]{82}"),
        re.compile(r"hf_[A-Za-z]{34}"),  # Hugging Face
        re.compile(r"sk-ant-[a-z0-9]{2,10}-[0-9A-Za-z_-]{80,}"),  # Anthropic
        re.compile(r"sk-(?:proj|svcacct|admin)-[0-9A-Za-z_-]{40,}"),  # OpenAI
        re.compile(r"\bsk-[0-9a-f]{32}\b"),  # DeepSeek and others
    )


PLUGINS: tuple[RegexBasedDetector, ...] = tuple(
    plugin()
    for plugin in (
        AWSKeyDetector, AzureStorageKeyDetector, DiscordBotTokenDetector, GitHubTokenDetector, GitLabTokenDetector,
        MailchimpDetector, NpmDetector, OpenAIDetector, PypiTokenDetector, SendGridDetector, SlackDetector,
        SquareOAuthDetector, StripeDetector, TelegramBotTokenDetector, TwilioKeyDetector, PrivateKey, ServiceKey,
    )
)  # fmt: skip
LOOKAHEAD = r"(?!\w)"  # Polars knows none; `_found` confirms by the pattern as it is
LEAST_CHARACTERS = 8  # different ones; fewer are placeholders, `xxxx…`
PLACEHOLDER = re.compile(r"example|your|placeholder|dummy|redacted|changeme|abcdef|1234567|(.)\1{5}", re.IGNORECASE)


def patterns() -> tuple[str, ...]:
    """The patterns of all plugins, in the syntax of Polars."""
    listed = [(regex.pattern.replace(LOOKAHEAD, ""), regex.flags) for one in PLUGINS for regex in one.denylist]
    return tuple(f"(?i:{pattern})" if flags & re.IGNORECASE else pattern for pattern, flags in listed)


@cache
def _whole(regex: re.Pattern[str]) -> re.Pattern[str]:
    """The same pattern as one group, so that a match is the secret with its prefix."""
    return re.compile(f"(?P<all>{regex.pattern})", regex.flags)


def secrets(text: str) -> Iterator[tuple[str, str]]:
    """(kind, secret) of the keys in a short text, without placeholders."""
    for plugin in PLUGINS:
        for regex in plugin.denylist:
            for match in _whole(regex).finditer(text):
                secret = match["all"]
                if not _placeholder(secret):
                    yield plugin.secret_type, secret


def _placeholder(secret: str) -> bool:
    return len(set(secret)) < LEAST_CHARACTERS or is_sequential_string(secret) or bool(PLACEHOLDER.search(secret))


def confirm(text: str) -> str | None:
    """The kind and the length of the first key, and nothing of it."""
    found = next(secrets(text), None)
    return None if found is None else f"{found[0]}, {counted(len(found[1]), 'character')}"


SCREEN = Screen("secret", EVERYWHERE, patterns(), confirm, lines=False)
