"""Look at our own page as a browser does: over its public port, and through the WebSocket to x11vnc."""

import base64
import contextlib
import secrets
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import IO

from ibga.vnc.x11vnc import GREETING

_BINARY, _CLOSE = 2, 8  # opcodes of RFC 6455


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks the page that listens on *address*; every wait is limited to *limit* seconds."""

    address: str
    port: int
    tls: bool
    limit: float

    @contextlib.contextmanager
    def _connect(self) -> Iterator[socket.socket]:
        host = self.address
        if ip_address(host).is_unspecified:  # all addresses, thus the local one, too
            host = "::1" if ":" in host else "127.0.0.1"
        with socket.create_connection((host, self.port), timeout=self.limit) as stream:
            if not self.tls:
                yield stream
                return
            import ssl

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # it is ours; whether browsers trust it is not asked here
            with context.wrap_socket(stream) as secure:
                yield secure

    def page(self) -> None:
        """Return when the page came; raises OSError else."""
        with self._connect() as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b""
            while data := stream.recv(65536):
                answer += data
        if not answer.startswith(b"HTTP/1.1 200 ") or not answer.rstrip().endswith(b"</html>"):
            raise ConnectionError(f"the page answered {answer.splitlines()[:1]}")

    def greeting(self, path: str) -> None:
        """Return when an RFB greeting came through the WebSocket *path*; raises OSError else."""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        request = (
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
        )
        with self._connect() as stream:
            stream.sendall(request.encode())
            reader = stream.makefile("rb")
            status = reader.readline()
            if b" 101 " not in status:
                raise ConnectionError(f"the WebSocket answered {status!r}")
            while reader.readline().strip():
                pass
            while True:
                opcode, payload = _read_frame(reader)
                if opcode == _BINARY and payload.startswith(GREETING):
                    return
                if opcode in (_BINARY, _CLOSE):
                    raise ConnectionError(f"the WebSocket said {payload!r} in place of {GREETING!r}")


def _read_frame(reader: IO[bytes]) -> tuple[int, bytes]:
    """Return opcode and payload of one frame from a server (never masked, RFC 6455, 5.1)."""
    first, length = _read(reader, 2)
    if length == 126:
        (length,) = struct.unpack(">H", _read(reader, 2))
    elif length > 126:
        raise ConnectionError("the WebSocket sent more than a greeting")
    return first & 0x0F, _read(reader, length)


def _read(reader: IO[bytes], count: int) -> bytes:
    data = reader.read(count)
    if len(data) < count:
        raise ConnectionError("the WebSocket closed before the greeting")
    return data
