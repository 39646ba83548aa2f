"""Texts without what must not be shown, for pages that show the beginning of a text before it is screened."""

from am_assets.verification.screens import keys, personal
from am_assets.verification.screens.base import PIECE


def blanked(text: str, width: int) -> str:
    """The first `width` characters of `text`, at most PIECE: up to the first key, and with personal data blanked.

    >>> blanked("Write to p.miller@gmx.de, please", 40)
    'Write to [personal data], please'
    """
    piece = text[:PIECE]
    for _, secret in list(keys.secrets(piece)):  # what follows may belong to it, as further lines of a private key do
        piece = piece.partition(secret)[0] + "[secret]"
    for _, written in list(personal.found(piece)):
        piece = piece.replace(written, "[personal data]")
    return piece[:width]
