"""Sentences that a screen finds, and neighbours that it must not (`screened.jsonl`), by screen.

Names in braces stand for keys, which are drawn here: a key as a whole stands in no file.
"""

import hashlib
import json
import string
from pathlib import Path

LOWER, UPPER = string.digits + string.ascii_lowercase, string.digits + string.ascii_uppercase
HEX, LETTERS, ALL = string.hexdigits[:16], string.ascii_letters, string.digits + string.ascii_letters


def drawn(length: int, letters: str = ALL) -> str:
    """Letters as a key has them, always the same."""
    digits = hashlib.shake_256(f"{length}{letters}".encode()).digest(length)
    return "".join(letters[digit % len(letters)] for digit in digits)


def private(kind: str) -> str:
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{drawn(64)}\n{drawn(63)}\n"


KEYS = {
    "aws": "AKIA" + drawn(16, UPPER), "aws session": "ASIA" + drawn(16, UPPER), "github": "ghp_" + drawn(36),
    "github server": "ghs_" + drawn(36), "github fine": "github_pat_" + drawn(82), "gitlab": "glpat-" + drawn(20),
    "gitlab deploy": "gldt-" + drawn(24), "gitlab trigger": "glptt-" + drawn(40), "deepseek": "sk-" + drawn(32, HEX),
    "openai": f"sk-{drawn(20)}T3BlbkFJ{drawn(20, LETTERS)}", "openai project": "sk-proj-" + drawn(60),
    "anthropic": "sk-ant-api03-" + drawn(95), "google": "AIza" + drawn(35), "hugging face": "hf_" + drawn(34, LETTERS),
    "slack": "xoxb-293847561029-564738291045-" + drawn(24, LOWER), "stripe": "sk_live_" + drawn(24),
    "slack hook": f"https://hooks.slack.com/services/T{drawn(8, UPPER)}/B{drawn(10, UPPER)}/{drawn(24)}",
    "stripe restricted": "rk_live_" + drawn(24), "sendgrid": f"SG.{drawn(22)}.{drawn(43)}",
    "twilio": "SK" + drawn(32, LOWER), "pypi": "pypi-AgEIcHlwaS5vcmc" + drawn(90), "square": "sq0csp-" + drawn(43),
    "mailchimp": drawn(32, HEX) + "-us14", "telegram": "8392715640:" + drawn(35),
    "azure": f"AccountKey={drawn(86)}==", "npm": "//registry.npmjs.org/:_authToken=npm_" + drawn(36),
    "private": private("RSA "), "private pkcs8": private(""), "openssh": private("OPENSSH "),
}  # fmt: skip
# Forms that are no secret: keys of a test mode and those that are published.
PUBLIC = {"stripe test": "sk_test_" + drawn(24), "stripe public": "pk_live_" + drawn(24)}


def _filled(text: str) -> str:
    for name, key in (KEYS | PUBLIC).items():
        text = text.replace(f"{{{name}}}", key).replace(f"{{escaped {name}}}", repr(key)[1:-1])
    return text


SENTENCES: list[tuple[str, bool, str]] = [
    (row["screen"], row["hit"], _filled(row["text"]))
    for row in map(json.loads, Path(__file__).with_name("screened.jsonl").read_text(encoding="utf-8").splitlines())
]
