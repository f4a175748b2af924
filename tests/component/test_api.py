"""The relay as a process, with real sockets: when it listens, whom it keeps, and that no byte is lost."""

import hashlib
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from ib_async import IB

from ibga.runtime import Api, State, read
from tests.support.deadline import wait_until
from tests.support.echo import EchoServer
from tests.support.sessions import publish_session, session
from tests.support.simulator import free_port, simulator
from tests.support.tree import Service, Tree
from tests.support.xvfb import xvfb


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


class Relay:
    """A relay under test between a free port and *internal_port*."""

    def __init__(self, tree: Tree, internal_port: int, more: str = "") -> None:
        self.tree = tree
        self.port = free_port()
        tree.configure(f"[api]\nport = {self.port}\ninternal_port = {internal_port}\n{more}")
        self.service: Service | None = None

    def start(self, state: State | None = State.READY) -> Service:
        if state is not None:
            self.session(state)
        self.service = self.tree.start("ibga.api")
        self.service.wait_ready()
        return self.service

    def session(self, state: State, **more: object) -> None:
        publish_session(self.tree.paths.runtime_dir, session(state, **more))  # type: ignore[arg-type]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def refuses(self) -> bool:
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    def record(self) -> Api:
        record = read(self.tree.paths.runtime_dir / "api.json", Api)
        assert record is not None
        return record


def exchange(client: socket.socket, data: bytes = b"API\0hello") -> bytes:
    client.sendall(data)
    received = b""
    while len(received) < len(data):
        chunk = client.recv(1 << 16)
        if not chunk:
            break
        received += chunk
    return received


def send_until_blocked(sender: socket.socket, limit: int) -> int:
    """Send zeros until nobody takes them, or *limit* bytes are gone; return how many."""
    sent = 0
    try:
        while sent < limit:
            sent += sender.send(b"\0" * 100_000)
    except TimeoutError:
        pass
    return sent


def closed_by_peer(client: socket.socket, timeout: float = 5.0) -> bool:
    client.settimeout(timeout)
    try:
        return client.recv(1) == b""
    except ConnectionError:
        return True


def test_the_port_opens_within_a_moment_of_ready_and_refuses_before(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    service = relay.start(State.SECOND_FACTOR)
    assert relay.refuses()
    assert service.notify.status == "Refusing: as the test says"
    assert not relay.record().listening

    relay.session(State.READY)
    published = time.monotonic()
    wait_until(lambda: not relay.refuses(), "the port opens", interval=0.002)

    assert time.monotonic() - published < 0.3
    with relay.connect() as client:
        assert exchange(client) == b"API\0hello"
    wait_until(
        lambda: service.notify.status == f"Listening on 127.0.0.1:{relay.port}, 0 clients",
        "the status follows",
    )


@pytest.mark.parametrize("state", [state for state in State if state != State.READY])
def test_every_state_but_ready_refuses_and_only_the_fatal_ones_close_clients(
    tree: Tree, echo: EchoServer, state: State
) -> None:
    relay = Relay(tree, echo.port)
    relay.start()
    with relay.connect() as client:
        assert exchange(client) == b"API\0hello"

        relay.session(state)
        wait_until(relay.refuses, f"refuses in {state}")

        if state in ("restarting", "displaced", "frozen", "failed", "stopped"):
            assert closed_by_peer(client)
            wait_until(lambda: echo.connected == 0, "IBG's side is closed, too")
        else:
            assert exchange(client, b"still here") == b"still here"
        relay.session(State.READY)
        wait_until(lambda: not relay.refuses(), "opens again")


def test_a_record_that_is_not_renewed_refuses_new_clients_and_keeps_the_others(
    tree: Tree, echo: EchoServer
) -> None:
    relay = Relay(tree, echo.port)
    relay.session(State.READY, valid_for=1.0)
    relay.start(None)
    with relay.connect() as client:
        exchange(client)
        wait_until(relay.refuses, "the record gets out of date", timeout=3)

        assert exchange(client, b"kept") == b"kept"
        assert "said nothing" in relay.record().reason
        relay.session(State.READY)
        wait_until(lambda: not relay.refuses(), "a renewed record opens it")


def test_a_record_from_before_the_start_that_is_long_out_of_date_opens_nothing(
    tree: Tree, echo: EchoServer
) -> None:
    relay = Relay(tree, echo.port)
    relay.session(State.READY, age=60)

    relay.start(None)

    assert relay.refuses()


def test_a_missing_or_torn_record_changes_nothing_while_the_last_one_is_valid(
    tree: Tree, echo: EchoServer
) -> None:
    relay = Relay(tree, echo.port)
    service = relay.start()
    file = tree.paths.runtime_dir / "session.json"

    file.unlink()
    with relay.connect() as client:
        assert exchange(client) == b"API\0hello"
    beside = file.with_name(".session.json.new")
    beside.write_text('{"version": 1, "state": "rea')
    beside.replace(file)

    service.wait_line("session.json: not JSON")
    assert not relay.refuses()


def test_fifty_clients_get_every_byte_both_ways(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    relay.start()

    def transfer(number: int) -> bool:
        data = hashlib.shake_128(bytes([number])).digest(300_000)
        with relay.connect() as client:
            writer = threading.Thread(target=client.sendall, args=(data,))
            writer.start()
            received = bytearray()
            while len(received) < len(data):
                chunk = client.recv(1 << 16)
                if not chunk:
                    break
                received += chunk
            writer.join(10)
            return bytes(received) == data

    with ThreadPoolExecutor(50) as pool:
        assert all(pool.map(transfer, range(50)))
    wait_until(lambda: relay.record().clients == (), "api.json forgets them")
    wait_until(lambda: echo.connected == 0, "no connection to IBG is left")


def test_fifty_clients_at_once_are_listed_with_their_bytes(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    service = relay.start()
    clients = [relay.connect() for _ in range(50)]
    for client in clients:
        assert exchange(client, b"x" * 100) == b"x" * 100

    def listed() -> bool:
        return [(each.received, each.sent) for each in relay.record().clients] == [(100, 100)] * 50

    wait_until(listed, "api.json lists 50 clients with 100 bytes each way", timeout=15)
    addresses = {f"127.0.0.1:{client.getsockname()[1]}" for client in clients}
    assert {each.address for each in relay.record().clients} == addresses
    assert service.notify.status.endswith("50 clients")
    for client in clients:
        client.close()


def test_a_client_that_does_not_read_stops_the_sender_instead_of_filling_memory(tree: Tree) -> None:
    flood = socket.create_server(("127.0.0.1", 0))
    relay = Relay(tree, flood.getsockname()[1])
    service = relay.start()
    with relay.connect() as client:
        client.sendall(b"API\0")
        gateway, _ = flood.accept()
        assert gateway.recv(4) == b"API\0"
        gateway.settimeout(1.0)
        sent = send_until_blocked(gateway, limit=200_000_000)
        assert sent < 200_000_000
        assert psutil.Process(service.pid).memory_info().rss < 80_000_000
        gateway.close()
        received = 0
        while chunk := client.recv(1 << 20):
            received += len(chunk)
        assert received == sent
    flood.close()


def test_half_a_connection_still_carries_the_other_half(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    relay.start()
    data = os.urandom(2_000_000)
    with relay.connect() as client:

        def send() -> None:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=send)
        writer.start()
        received = b"".join(iter(lambda: client.recv(1 << 16), b""))
        writer.join(10)

    assert received == data
    wait_until(lambda: relay.record().clients == (), "both halves are closed")


def test_the_end_of_the_gateway_reaches_the_client(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    relay.start()
    with relay.connect() as client:
        exchange(client)
        echo.drop_all()

        assert closed_by_peer(client)


def test_a_client_is_closed_at_once_when_the_gateway_cannot_be_reached(tree: Tree) -> None:
    internal = free_port()
    relay = Relay(tree, internal)
    service = relay.start()
    with relay.connect() as client:
        client.sendall(b"API\0")
        assert closed_by_peer(client)
    with relay.connect() as silent:
        assert closed_by_peer(silent)

    line = service.wait_line("cannot reach IBG")
    assert line.startswith(f"<4>cannot reach IBG on 127.0.0.1:{internal}: ")


def test_a_bare_connect_to_the_public_port_never_reaches_the_gateway(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    relay.start()

    for _ in range(5):
        relay.connect().close()
    with relay.connect() as client:
        assert exchange(client) == b"API\0hello"

    assert echo.accepted == 1


def test_a_client_that_only_listens_is_connected_too(tree: Tree) -> None:
    greeter = socket.create_server(("127.0.0.1", 0))
    relay = Relay(tree, greeter.getsockname()[1])
    relay.start()
    with relay.connect() as client:
        gateway, _ = greeter.accept()
        gateway.sendall(b"welcome")

        assert client.recv(100) == b"welcome"
        gateway.close()
    greeter.close()


def test_the_port_that_the_session_names_counts(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, free_port())
    relay.session(State.READY, api_port=echo.port)
    relay.start(None)

    with relay.connect() as client:
        assert exchange(client) == b"API\0hello"


def test_addresses_outside_allow_are_closed_and_named_once(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port, 'allow = ["127.0.0.2/32"]\n')
    service = relay.start()

    for _ in range(5):
        with relay.connect() as client:
            assert closed_by_peer(client)
    friend = socket.create_connection(("127.0.0.1", relay.port), timeout=5, source_address=("127.0.0.2", 0))
    with friend:
        assert exchange(friend) == b"API\0hello"

    assert len([line for line in service.journal() if "refused 127.0.0.1: not in api.allow" in line]) == 1


def test_a_port_that_is_taken_is_told_at_the_start(tree: Tree) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        tree.configure(f"[api]\nport = {port}\n")
        service = tree.start("ibga.api")

        assert service.wait_exit() == 69
    assert service.journal() == [
        f"<3>api.listen = 127.0.0.1, api.port = {port}: the port is already taken "
        f"(hint: who has it: ss -ltnp 'sport = :{port}')"
    ]


def test_a_port_that_is_taken_while_the_session_was_not_ready_ends_the_relay(
    tree: Tree, echo: EchoServer
) -> None:
    relay = Relay(tree, echo.port)
    service = relay.start(State.LOGIN)
    with socket.create_server(("127.0.0.1", relay.port)):  # SO_REUSEADDR lets it, as nobody listens
        relay.session(State.READY)

        assert service.wait_exit() == 69
    assert "the port is already taken" in service.journal()[-1]


def test_a_socket_for_everywhere_serves_both_families(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port, 'listen = "::"\nallow = ["127.0.0.0/8", "::1"]\n')
    service = relay.start()

    for host, shown in (("127.0.0.1", "127.0.0.1:"), ("::1", "[::1]:")):
        with socket.create_connection((host, relay.port), timeout=5) as client:
            assert exchange(client) == b"API\0hello"
        service.wait_line(f"client {shown}")


def test_sigterm_closes_clients_and_ends_quickly(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    service = relay.start()
    with relay.connect() as client:
        exchange(client)
        begun = time.monotonic()

        assert service.stop() == 0
        assert closed_by_peer(client)
    assert time.monotonic() - begun < 2
    assert relay.refuses()
    assert service.warnings() == []


def test_a_stopped_event_loop_sends_no_watchdog_ping(tree: Tree, echo: EchoServer) -> None:
    relay = Relay(tree, echo.port)
    service = relay.start()
    since = time.monotonic()
    wait_until(lambda: service.notify.pings(since) >= 2, "it pings while it turns", timeout=5)

    psutil.Process(service.pid).suspend()
    since = time.monotonic()
    time.sleep(1.5)
    assert service.notify.pings(since) == 0
    psutil.Process(service.pid).resume()


def test_tls_serves_its_certificate_and_asks_for_one_of_the_client(
    tree: Tree, echo: EchoServer, tmp_path: Path
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
        timeout=30,
    )
    relay = Relay(tree, echo.port, f'tls_cert = "{cert}"\ntls_key = "{key}"\ntls_client_ca = "{cert}"\n')
    relay.start()
    context = ssl.create_default_context(cafile=str(cert))
    context.load_cert_chain(cert, key)
    data = os.urandom(1_000_000)

    with context.wrap_socket(relay.connect(), server_hostname="localhost") as client:
        writer = threading.Thread(target=client.sendall, args=(data,))
        writer.start()
        received = b""
        while len(received) < len(data):
            received += client.recv(1 << 16)
        writer.join(10)
    assert received == data

    stranger = ssl.create_default_context(cafile=str(cert))
    service = relay.service
    assert service is not None
    with pytest.raises(OSError), stranger.wrap_socket(relay.connect(), server_hostname="localhost") as client:  # noqa: PT011, PT012
        client.sendall(b"API\0")
        if client.recv(1) == b"":
            raise ConnectionResetError
    with relay.connect() as client:
        client.sendall(b"API\0 without TLS")
        assert closed_by_peer(client)
    assert echo.accepted == 1
    assert service.warnings() == []


def test_a_real_client_works_through_the_relay(tree: Tree, tmp_path: Path) -> None:
    internal = free_port()
    scenario = {
        "autopilot.user": "demo",
        "paper.dialog": "false",
        "profile.socketPort": str(internal),
        "profile.readOnlyApi": "false",
    }
    relay = Relay(tree, internal)
    with xvfb(tmp_path) as display, simulator(display, tmp_path / "settings", scenario) as gateway:
        gateway.wait_for("api-listen", port=internal)
        relay.start()
        client = IB()
        client.connect("127.0.0.1", relay.port, clientId=7, timeout=10)
        try:
            assert client.managedAccounts()
        finally:
            client.disconnect()
        wait_until(lambda: relay.record().clients == (), "the client is gone")
