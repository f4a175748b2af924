"""Ask IBG's API port whether it serves: the handshake that a client makes, and nothing more (guide 8.2).

Never a bare connect: that proves nothing and leaves a client without a name in IBG.
"""

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ibga.errors import Exit, IbgaError

#: From 201 on messages are protobuf (guide 8.3); a server never answers above the client's maximum.
VERSIONS = (100, 178)
#: The messages of a handshake have some hundred bytes; more is not IBG.
MAX_FRAME = 1 << 20
MAX_BYTES = 4 << 20

_START_API, _NEXT_VALID_ID, _MANAGED_ACCOUNTS, _ERROR = "71", "9", "15", "4"
_CLIENT_ID_IN_USE = "326"  # guide 8.5
_GOODBYE_TIMEOUT = 0.5  # s, for IBG to close its side


class Failure(StrEnum):
    REFUSED = "refused"  # nothing listens
    CLOSED = "closed"  # accepted and closed without a word
    ID_IN_USE = "id-in-use"
    SILENT = "silent"
    GARBAGE = "garbage"


class HandshakeError(IbgaError):
    """The port did not answer as IBG does; *failure* says in which way."""

    def __init__(self, failure: Failure, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=Exit.UNAVAILABLE)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    server_version: int
    connection_time: str  # "20260105 09:30:00 EST"
    accounts: tuple[str, ...]  # at least one
    next_order_id: int


def handshake(host: str, port: int, client_id: int, timeout: float) -> Handshake:
    """Connect as client *client_id*, wait for accounts and order id, disconnect; *timeout* s for all of it.

    Raises HandshakeError.
    """
    where = f"the API port {host}:{port}"
    deadline = time.monotonic() + timeout
    try:
        connection = socket.create_connection((host, port), timeout=timeout)
    except TimeoutError:
        raise HandshakeError(Failure.SILENT, f"{where} did not accept within {timeout:g} s") from None
    except OSError as error:
        raise HandshakeError(
            Failure.REFUSED, f"{where} refused: {error.strerror or error}", hint="is IBG logged in?"
        ) from None
    with connection:
        try:
            result = _converse(connection, client_id, where, deadline)
        except TimeoutError:
            raise HandshakeError(
                Failure.SILENT,
                f"{where} accepted but did not complete the handshake within {timeout:g} s",
                hint="IBG hangs, or its paper trading warning is unanswered",
            ) from None
        except OSError as error:
            raise HandshakeError(Failure.CLOSED, f"{where} broke off: {error.strerror or error}") from None
        _say_goodbye(connection)
    return result


def _converse(connection: socket.socket, client_id: int, where: str, deadline: float) -> Handshake:
    frames = _receive(connection, where, deadline)
    connection.sendall(b"API\0" + frame(f"v{VERSIONS[0]}..{VERSIONS[1]}".encode()))
    hello = next(frames, None)
    if hello is None:
        raise HandshakeError(
            Failure.CLOSED,
            f"{where} closed the connection without a word",
            hint="it allows localhost and trusted addresses only, or it is shutting down",
        )
    version, connection_time = parse_hello(hello, where)
    connection.sendall(frame(fields(_START_API, "2", str(client_id), "")))
    accounts: tuple[str, ...] = ()
    order_id: int | None = None
    note = ""
    for payload in frames:
        match parse_fields(payload):
            case [kind, _, listed, *_] if kind == _MANAGED_ACCOUNTS:
                accounts = tuple(account for account in listed.split(",") if account)
            case [kind, _, number, *_] if kind == _NEXT_VALID_ID and number.isdecimal():
                order_id = int(number)
            case [kind, _, _, code, text, *_] if kind == _ERROR:
                note = f"{code} {text}"
                if code == _CLIENT_ID_IN_USE:
                    break
            case _:
                pass  # what else IBG may say unasked is no part of a handshake
        if accounts and order_id is not None:
            return Handshake(
                server_version=version,
                connection_time=connection_time,
                accounts=accounts,
                next_order_id=order_id,
            )
    raise HandshakeError(
        Failure.ID_IN_USE,
        f"{where} closed the connection after client id {client_id} was named",
        hint=f"IBG said: {note}" if note else "is this client id in use?",
    )


def _receive(connection: socket.socket, where: str, deadline: float) -> Iterator[bytes]:
    """Yield payloads of frames until the peer closes between two; TimeoutError at *deadline*."""
    buffer = b""
    received = 0
    while True:
        payloads, buffer = split_frames(buffer, where)
        yield from payloads
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(65536)
        if not chunk:
            break
        buffer += chunk
        received += len(chunk)
        if received > MAX_BYTES:
            raise HandshakeError(Failure.GARBAGE, f"{where} sent {received} bytes, and no end of a handshake")
    if buffer:
        raise HandshakeError(Failure.GARBAGE, f"{where} closed the connection in the middle of a message")


def _say_goodbye(connection: socket.socket) -> None:
    """Close without a reset: one with bytes unread would reach IBG as an error of its client."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + _GOODBYE_TIMEOUT
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(65536):
                return


def frame(payload: bytes) -> bytes:
    return struct.pack("!I", len(payload)) + payload


def fields(*values: str) -> bytes:
    return b"".join(value.encode() + b"\0" for value in values)


def parse_fields(payload: bytes) -> list[str]:
    """Return the fields of a payload, each ended by one NUL byte."""
    return payload.decode(errors="replace").split("\0")[:-1]


def split_frames(buffer: bytes, where: str) -> tuple[list[bytes], bytes]:
    """Return the payloads of the whole frames in *buffer*, and the rest."""
    payloads = []
    while len(buffer) >= 4:
        length = struct.unpack_from("!I", buffer)[0]
        if length > MAX_FRAME:
            raise HandshakeError(
                Failure.GARBAGE, f"{where} does not speak IB's protocol", hint=f"it sent {buffer[:16]!r}"
            )
        if len(buffer) < 4 + length:
            break
        payloads.append(buffer[4 : 4 + length])
        buffer = buffer[4 + length :]
    return payloads, buffer


def parse_hello(payload: bytes, where: str) -> tuple[int, str]:
    """Return server version and connection time of IBG's first frame."""
    values = parse_fields(payload)
    if len(values) != 2 or not values[0].isdecimal() or not payload.endswith(b"\0"):
        raise HandshakeError(
            Failure.GARBAGE, f"{where} does not speak IB's protocol", hint=f"it sent {payload[:40]!r}"
        )
    version = int(values[0])
    if not VERSIONS[0] <= version <= VERSIONS[1]:
        raise HandshakeError(
            Failure.GARBAGE, f"{where} chose version {version}, outside v{VERSIONS[0]}..{VERSIONS[1]}"
        )
    return version, values[1]
