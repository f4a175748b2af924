"""A stand-in for IBG's API port where only bytes matter: it sends back what it gets."""

import socket
import threading


class EchoServer:
    """Echoes, half-closes when the peer has, and counts connections. Use as a context manager."""

    def __init__(self, *, answer: bool = True) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> "EchoServer":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.drop_all()
        self._thread.join(5)

    @property
    def connected(self) -> int:
        return len(self._open)

    def drop_all(self) -> None:
        """Reset every connection, as a gateway that dies."""
        for each in list(self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.accepted += 1
            self._open.add(peer)
            threading.Thread(target=self._echo, args=(peer,), daemon=True).start()

    def _echo(self, peer: socket.socket) -> None:
        with peer:
            try:
                while data := peer.recv(1 << 16):
                    if self._answer:
                        peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            self._open.discard(peer)
