"""The API handshake of guide 8.2 against a scripted server on loopback."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from ibga.automator.handshake import (
    MAX_FRAME,
    Failure,
    Handshake,
    HandshakeError,
    fields,
    frame,
    handshake,
    parse_hello,
    split_frames,
)

HELLO = frame(fields("178", "20260105 09:30:00 EST"))
ACCOUNTS = frame(fields("15", "1", "DU1234567,DU7654321,"))
ORDER_ID = frame(fields("9", "1", "42"))
NOTE = frame(fields("4", "2", "-1", "2104", "Market data farm connection is OK:usfarm", ""))
WHOLE = Handshake(
    server_version=178,
    connection_time="20260105 09:30:00 EST",
    accounts=("DU1234567", "DU7654321"),
    next_order_id=42,
)


class Peer:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""

    def expect(self, data: bytes) -> None:
        while len(self.received) < len(data):
            chunk = self.connection.recv(4096)
            if not chunk:
                break
            self.received += chunk
        assert self.received == data, self.received
        self.received = b""

    def greet(self, hello: bytes = HELLO) -> None:
        self.expect(b"API\0\0\0\0\x09v100..178")
        self.connection.sendall(hello)

    def start(self, client_id: str = "999") -> None:
        self.expect(frame(b"71\0002\0" + client_id.encode() + b"\0\0"))


@contextmanager
def served(script: Callable[[Peer], None]) -> Iterator[int]:
    """Listen for one client and play *script* to it; what it raises, this raises."""
    failures: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(10)
                    script(Peer(connection))
            except BaseException as error:  # noqa: BLE001 - raised below, in the test's thread
                failures.append(error)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            thread.join(15)
            assert not thread.is_alive()
    if failures:
        raise failures[0]


def ask(port: int, timeout: float = 5.0) -> Handshake:
    return handshake("127.0.0.1", port, 999, timeout)


def failure_of(script: Callable[[Peer], None], timeout: float = 5.0) -> HandshakeError:
    with served(script) as port, pytest.raises(HandshakeError) as caught:
        ask(port, timeout)
    return caught.value


@pytest.mark.parametrize(
    "messages", [[ACCOUNTS, ORDER_ID], [ORDER_ID, NOTE, ACCOUNTS], [NOTE, NOTE, ORDER_ID, ACCOUNTS]]
)
def test_accounts_and_order_id_come_in_any_order_between_status_notes(messages: list[bytes]) -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.start()
        peer.connection.sendall(b"".join(messages))
        peer.expect(b"")

    with served(script) as port:
        assert ask(port) == WHOLE


def test_messages_may_come_byte_by_byte() -> None:
    def script(peer: Peer) -> None:
        peer.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.expect(b"API\0\0\0\0\x09v100..178")
        for data in (HELLO, NOTE + ORDER_ID + ACCOUNTS):
            for byte in data:
                peer.connection.sendall(bytes([byte]))
                time.sleep(0.0005)
            if data is HELLO:
                peer.start()

    with served(script) as port:
        assert ask(port) == WHOLE


def test_the_connection_is_closed_without_a_reset() -> None:
    endings = []

    def script(peer: Peer) -> None:
        peer.greet()
        peer.start()
        peer.connection.sendall(ACCOUNTS + ORDER_ID + NOTE * 200)
        endings.append(peer.connection.recv(100))  # ConnectionResetError where it was reset

    with served(script) as port:
        ask(port)
    assert endings == [b""]


def test_a_port_where_nothing_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(HandshakeError) as caught:
        ask(port)
    assert caught.value.failure is Failure.REFUSED
    assert f"127.0.0.1:{port} refused" in str(caught.value)


def test_a_close_without_a_word_points_to_the_trusted_addresses() -> None:
    error = failure_of(lambda peer: peer.expect(b"API\0\0\0\0\x09v100..178"))
    assert error.failure is Failure.CLOSED
    assert "trusted" in str(error)


def test_a_close_after_the_client_id_points_to_the_id() -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.start()

    error = failure_of(script)
    assert error.failure is Failure.ID_IN_USE
    assert "client id 999" in str(error)


def test_a_note_that_the_client_id_is_in_use_is_quoted() -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.start()
        peer.connection.sendall(
            frame(fields("4", "2", "-1", "326", "Unable to connect as the client id is in use", ""))
        )
        peer.connection.recv(1)

    error = failure_of(script)
    assert error.failure is Failure.ID_IN_USE
    assert "326 Unable to connect" in str(error)


@pytest.mark.parametrize("after", ["connect", "hello", "accounts"])
def test_silence_ends_at_the_deadline_of_the_whole(after: str) -> None:
    def script(peer: Peer) -> None:
        if after != "connect":
            peer.greet()
            peer.start()
        if after == "accounts":
            for _ in range(40):  # always something, never the order id
                try:
                    peer.connection.sendall(ACCOUNTS + NOTE)
                except OSError:
                    break
                time.sleep(0.05)
        else:
            while peer.connection.recv(1000):
                pass

    began = time.monotonic()
    error = failure_of(script, timeout=0.4)
    assert error.failure is Failure.SILENT
    assert "paper" in str(error)
    assert 0.3 < time.monotonic() - began < 4


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        frame(b"SSH-2.0-OpenSSH"),
        frame(fields("178", "now", "more")),
        frame(fields("many", "now")),
        frame(fields("201", "now")),
        frame(fields("99", "now")),
        frame(b""),
        HELLO[:-3],
    ],
)
def test_garbage_instead_of_a_greeting_is_called_so(garbage: bytes) -> None:
    assert failure_of(lambda peer: peer.greet(garbage)).failure is Failure.GARBAGE


def test_a_flood_without_an_end_is_given_up() -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.start()
        with contextlib.suppress(ConnectionError):
            for _ in range(2_000):  # 20 MB
                peer.connection.sendall(frame(fields("4", "2", "-1", "1", "x" * 10_000)))

    assert failure_of(script, timeout=10).failure is Failure.GARBAGE


def test_an_empty_list_of_accounts_is_not_enough() -> None:
    def script(peer: Peer) -> None:
        peer.greet()
        peer.start()
        peer.connection.sendall(frame(fields("15", "1", "")) + ORDER_ID)
        peer.connection.recv(1)

    assert failure_of(script, timeout=0.3).failure is Failure.SILENT


def test_frames_are_split_at_every_point() -> None:
    whole = frame(b"one") + frame(b"") + frame(b"three")
    for cut in range(len(whole) + 1):
        first, rest = split_frames(whole[:cut], "here")
        second, left = split_frames(rest + whole[cut:], "here")
        assert [*first, *second] == [b"one", b"", b"three"]
        assert left == b""


def test_a_frame_beyond_the_bound_is_refused_before_it_is_read() -> None:
    with pytest.raises(HandshakeError):
        split_frames((MAX_FRAME + 1).to_bytes(4, "big"), "here")


def test_the_greeting_has_version_and_time() -> None:
    assert parse_hello(b"100\x0020260105 09:30:00 Central European Standard Time\0", "here") == (
        100,
        "20260105 09:30:00 Central European Standard Time",
    )
