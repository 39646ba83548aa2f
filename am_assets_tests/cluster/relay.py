"""The network between a machine and its database, which can be cut: a relay of TCP connections."""

import socket
import threading
from contextlib import suppress


class Relay:
    """Listens on `port` and passes on to `target` of this machine, until `cut`: then nobody hears of the other."""

    def __init__(self, target: int):
        self.target = target
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.whole = True
        self.near: list[socket.socket] = []  # open and silent once it is cut
        self.far: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """As keepalives of the server find it: its side of each connection ends, the other waits for ever."""
        self.whole = False
        for one in self.far:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            near, _ = self.server.accept()
            self.near.append(near)
            if self.whole:
                far = socket.create_connection(("127.0.0.1", self.target))
                self.far.append(far)
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, to: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if self.whole:
                    to.sendall(data)
        if self.whole:
            with suppress(OSError):
                to.shutdown(socket.SHUT_WR)
