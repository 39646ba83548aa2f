"""Global lists, sets and dicts of a program, which tests and program may both change: kept alike on both sides."""

from typing import Any

from am_assets.engines.sandbox.guest.operations import replace_content
from am_assets.engines.sandbox.guest.peers import Peer
from am_assets.engines.sandbox.guest.remote import Link

MOST = 1000  # items of one; larger ones stay as they were when the program was loaded


class Globals:
    """Those of a program that its tests name, with `values` as the tests have them."""

    def __init__(self, link: Link, values: dict[str, Any]) -> None:
        self.link = link
        self.values = values
        self.known = {name: link.encode(value) for name, value in values.items()}
        link.before_asking.append(self.hand_over)
        link.after_asking.append(self.look)

    def hand_over(self) -> None:
        """Tell the program of what the tests have changed."""
        for name, value in self.values.items():
            if (form := self.link.encode(value)) != self.known[name]:
                self.known[name] = form
                Peer.ask(self.link, "patch", "solution", name, value)

    def look(self) -> None:
        """Take over what the program has changed."""
        for name, value in Peer.ask(self.link, "values", list(self.values)).items():
            if type(value) is type(self.values[name]) and (form := self.link.encode(value)) != self.known[name]:
                self.known[name] = form
                replace_content(self.values[name], value)
