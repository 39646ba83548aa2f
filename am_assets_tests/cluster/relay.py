"""The network between a machine and a service, which can be cut, slow or refused: a relay of TCP connections."""

import socket
import struct
import threading
import time
from contextlib import suppress

RESET = struct.pack("ii", 1, 0)  # of SO_LINGER: no farewell


class Relay:
    """Listens on `port` of `host` and passes on to `target` of this machine, until `cut`: then nobody hears of the
    other. `delay`: seconds there and back."""

    def __init__(self, target: int, host: str = "127.0.0.1"):
        self.target = target
        self.server = socket.create_server((host, 0))
        self.port = self.server.getsockname()[1]
        self.whole, self.refuses, self.delay = True, False, 0.0
        self.near: list[socket.socket] = []  # open and silent once it is cut
        self.far: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """As keepalives of the server find it: its side of each connection ends, the other waits for ever."""
        self.whole = False
        for one in self.far:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def refuse(self) -> None:
        """Reset all connections, and each that comes until `refuses` is false again."""
        self.refuses = True
        for one in [*self.near, *self.far]:
            _reset(one)

    def _accept(self) -> None:
        while True:
            near, _ = self.server.accept()
            if self.refuses:
                _reset(near)
                continue
            self.near.append(near)
            if self.whole:
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    _reset(near)
                    continue
                self.far.append(far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                time.sleep(self.delay / 2)
                if self.whole:
                    to.sendall(data)
        if self.whole:
            with suppress(OSError):
                to.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.shutdown(socket.SHUT_RDWR)
    if not one._closed:  # type: ignore[attr-defined]
        one.close()
