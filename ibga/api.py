"""Relay the public API port to the port that IBG listens on, only while the session is ready.

Unit: ibga-api@.service. Writes: api.json. Reads: session.json.
"""

import asyncio
import errno
import logging
import signal
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import ip_address
from pathlib import Path

from ibga import service
from ibga.config import Config
from ibga.config.settings import ApiSettings
from ibga.errors import Exit, IbgaError
from ibga.notify import Notifier
from ibga.runtime import Api, ApiClient, Session, State, publish
from ibga.session import SessionRecord, following, is_ready

log = logging.getLogger("ibga.api")

GATEWAY_HOST = "127.0.0.1"  # so that IBG sees a local client, and needs no trusted address
CONNECT_TIMEOUT = 5.0  # s, to IBG on the same host
#: How long a client may be silent before IBG hears of it. API and FIX clients speak first; a port
#: scanner or a health check connects and leaves, and IBG must not be probed that way (guide 8.1).
SILENCE = 0.2  # s
FLUSH = 1.0  # s that a closed connection has for what is still to be sent
COUNT_INTERVAL = 5.0  # s between two publications for the sake of byte counts
COMPLAINT_INTERVAL = 60.0  # s between two log lines about one thing
#: (option, value) of TCP: a peer that is gone without a word is found within two minutes.
KEEPALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 15), (socket.TCP_KEEPCNT, 4))

#: States after which no connection can still be of use. In all others the connections are held: they
#: may survive (design section 6), and where they do not, IBG itself closes them.
SHUT_STATES = {State.RESTARTING, State.DISPLACED, State.FROZEN, State.FAILED, State.STOPPED}


class Gate(Enum):
    OPEN = "listens"
    HOLD = "refuses new clients, keeps those that it has"
    SHUT = "refuses, and closes all clients"


@dataclass(frozen=True, slots=True)
class Verdict:
    gate: Gate
    reason: str
    port: int | None = None  # that IBG listens on, where the session knows it


def decide(session: Session | None, age: float) -> Verdict:
    """Say what the relay does, *age* seconds after *session* was renewed.

    No record, or one that nobody renews any more, says nothing about the gateway: clients are held,
    new ones are refused.
    """
    if session is None:
        return Verdict(Gate.HOLD, "no word of the session yet")
    if session.state in SHUT_STATES:
        return Verdict(Gate.SHUT, session.reason or session.state)
    if age > session.valid_for:
        return Verdict(Gate.HOLD, f"the automator has said nothing for {age:.0f} s")
    if not is_ready(session, age):
        return Verdict(Gate.HOLD, session.reason or session.state)
    if not session.facts.api.ok:
        return Verdict(Gate.HOLD, f"IBG's API does not answer: {session.facts.api.detail}")
    return Verdict(Gate.OPEN, "the session is ready", session.api_port)


def run(config: Config, notify: Notifier) -> None:
    asyncio.run(_serve(config, notify))


async def _serve(config: Config, notify: Notifier) -> None:
    """Follow the session until SIGTERM."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    ended = asyncio.Event()

    def end() -> None:
        ended.set()
        changed.set()

    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, end)
    record_file = config.paths.runtime_dir / "session.json"
    session = SessionRecord(record_file)
    relay = Relay(config.api, changed.set)
    published = Publication(config.paths.runtime_dir / "api.json")
    with following(record_file, lambda: loop.call_soon_threadsafe(changed.set)):
        ready = False
        while not ended.is_set():
            changed.clear()
            await relay.obey(decide(session.look(), session.age))
            published.update(relay.record())
            (notify.status if ready else notify.ready)(relay.status())
            ready = True
            notify.ping()  # the loop has turned and the session was looked at
            pause = min(notify.ping_interval, session.valid_left, COUNT_INTERVAL if relay.clients else 60.0)
            try:
                await asyncio.wait_for(changed.wait(), pause)
            except TimeoutError:
                pass
        notify.stopping("Closing the clients")
        await relay.end()


class Publication:
    """api.json: replaced when something happened, and every few seconds while bytes flow."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: Api | None = None
        self._time = 0.0

    def update(self, record: Api) -> None:
        if record == self._last:
            return
        due = time.monotonic() >= self._time + COUNT_INTERVAL
        if not due and self._last and _without_counts(record) == _without_counts(self._last):
            return
        self._last, self._time = record, time.monotonic()
        try:
            publish(self._path, record)
        except IbgaError as error:
            log.warning("%s", error)  # no reason to drop clients


def _without_counts(record: Api) -> Api:
    return replace(record, clients=tuple(replace(each, received=0, sent=0) for each in record.clients))


class End(asyncio.Protocol):
    """One end of a relayed connection: what arrives is written to the end that is its *other*."""

    other: "End | None" = None
    transport: asyncio.Transport

    def __init__(self, relay: "Relay", *, of_client: bool) -> None:
        self._relay = relay
        self._of_client = of_client
        self.received = 0  # bytes
        self.early = b""  # arrived before there was another end
        self.ended = False  # the peer will send no more
        self.address = ""
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.since = time.time()
        peer = transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE:
            peer.setsockopt(socket.IPPROTO_TCP, option, value)
        if self._of_client:
            host, port = transport.get_extra_info("peername")[:2]
            host = host.removeprefix("::ffff:")  # an IPv4 client of a socket for both
            self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            self._relay.welcome(self, host)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self.other is not None:
            self.other.transport.write(data)
            return
        self.early += data
        self.transport.pause_reading()
        self._relay.join_now(self)

    def pause_writing(self) -> None:
        if self.other is not None and not self.other.ended:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other is not None and not self.other.ended:
            self.other.transport.resume_reading()

    def eof_received(self) -> bool:
        """The peer has sent all. Returns whether this end stays open, for what it is still to be sent."""
        self.ended = True
        other = self.other
        if other is None or self.transport.get_extra_info("ssl_object"):  # TLS here knows no half
            return False
        if other.ended or not other.transport.can_write_eof():
            close(other)
            return False
        other.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None:
            close(self.other)
        if self._of_client:
            self._relay.forget(self)


def close(end: End) -> None:
    """Close *end* when what is buffered for it is sent, or a second later."""
    end.transport.close()
    asyncio.get_running_loop().call_later(FLUSH, end.transport.abort)


class Relay:
    """The listening socket and its clients. *changed* is called when either changes."""

    def __init__(self, settings: ApiSettings, changed: Callable[[], None]) -> None:
        self._settings = settings
        self._changed = changed
        self._tls = tls_context(settings)  # now, so that a wrong file shows before the port opens
        self._address = (
            f"[{settings.listen}]:{settings.port}"
            if ":" in settings.listen
            else f"{settings.listen}:{settings.port}"
        )
        # Bound from the start, so that a port already taken shows now and not when the session is
        # ready. Without listen(2) it refuses.
        self._socket = bind(settings)
        self._server: asyncio.Server | None = None
        self._verdict = Verdict(Gate.HOLD, "starting")
        self._since = time.time()
        self._joins: dict[End, asyncio.Task[None] | asyncio.TimerHandle] = {}
        self._complaints: dict[str, float] = {}
        self.clients: dict[End, None] = {}  # in the order of arrival

    async def obey(self, verdict: Verdict) -> None:
        """Open or close as *verdict* says. Raises IbgaError when the port has been taken meanwhile."""
        if (verdict.gate, verdict.reason) != (self._verdict.gate, self._verdict.reason):
            self._since = time.time()
        self._verdict = verdict
        if verdict.gate == Gate.OPEN and self._server is None:
            await self._listen()
        elif verdict.gate != Gate.OPEN and self._server is not None:
            self._server.close()
            self._server = None
            self._socket = bind(self._settings)
            log.info("closed %s: %s", self._address, verdict.reason)
        if verdict.gate == Gate.SHUT:
            self._close_clients(verdict.reason)

    async def _listen(self) -> None:
        self._tls = tls_context(self._settings)  # anew: a certificate may have been renewed
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: End(self, of_client=True), sock=self._socket, ssl=self._tls, backlog=128
            )
        except OSError as error:
            raise _not_bound(self._settings, error) from None
        log.info("listening on %s", self._address)

    def _close_clients(self, reason: str) -> None:
        clients = [client for client in self.clients if not client.transport.is_closing()]
        if clients:
            log.info("closing %d clients: %s", len(clients), reason)
        for client in clients:
            close(client)

    async def end(self) -> None:
        """Close everything, and wait until that is done."""
        if self._server is not None:
            self._server.close()
        self._close_clients("the relay ends")
        deadline = time.monotonic() + 2 * FLUSH
        while self.clients and time.monotonic() < deadline:
            await asyncio.sleep(0.02)

    def welcome(self, client: End, host: str) -> None:
        """Take *client* in, or close it at once."""
        allow = self._settings.allow
        if allow and not any(ip_address(host) in network for network in allow):
            self._complain(f"refused {host}: not in api.allow")
            client.transport.abort()
            return
        if self._verdict.gate != Gate.OPEN:  # it came in the moment of closing
            client.transport.abort()
            return
        self.clients[client] = None
        self._joins[client] = asyncio.get_running_loop().call_later(SILENCE, self.join_now, client)
        log.info("client %s connected", client.address)
        self._changed()

    def join_now(self, client: End) -> None:
        """Connect *client* to IBG, unless that is under way."""
        waiting = self._joins.get(client)
        if isinstance(waiting, asyncio.TimerHandle):
            waiting.cancel()
            self._joins[client] = asyncio.create_task(self._join(client))

    async def _join(self, client: End) -> None:
        port = self._verdict.port or self._settings.internal_port
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                _, gateway = await loop.create_connection(
                    lambda: End(self, of_client=False), GATEWAY_HOST, port
                )
        except (OSError, TimeoutError) as error:
            reason = (error.strerror if isinstance(error, OSError) else "") or "no answer"
            self._complain(f"cannot reach IBG on {GATEWAY_HOST}:{port}: {reason}; closing its clients")
            client.transport.abort()
            return
        if client.transport.is_closing() or gateway.transport.is_closing():
            client.transport.abort()
            gateway.transport.abort()
            return
        client.other, gateway.other = gateway, client
        for end, other in ((client, gateway), (gateway, client)):
            other.transport.write(end.early)
            end.early = b""
            end.transport.resume_reading()

    def forget(self, client: End) -> None:
        waiting = self._joins.pop(client, None)
        if waiting is not None:
            waiting.cancel()
        if client in self.clients:
            del self.clients[client]
            seconds = time.time() - client.since
            log.info("client %s left after %.0f s", client.address, seconds)
            self._changed()

    def _complain(self, message: str) -> None:
        """Warn of *message*, once a minute: a scanner must not fill the journal."""
        now = time.monotonic()
        if now - self._complaints.get(message, -COMPLAINT_INTERVAL) < COMPLAINT_INTERVAL:
            return
        if len(self._complaints) >= 1000:
            self._complaints.clear()
        self._complaints[message] = now
        log.warning("%s", message)

    def record(self) -> Api:
        return Api(
            listening=self._server is not None,
            reason=self._verdict.reason,
            since=self._since,
            address=self._address,
            clients=tuple(
                ApiClient(
                    address=client.address,
                    since=client.since,
                    received=client.received,
                    sent=client.other.received if client.other else 0,
                )
                for client in self.clients
            ),
        )

    def status(self) -> str:
        """The sentence for `systemctl status`."""
        number = f"{len(self.clients)} client{'' if len(self.clients) == 1 else 's'}"
        if self._server is not None:
            return f"Listening on {self._address}, {number}"
        held = f" ({number} held)" if self.clients else ""
        return f"Refusing: {self._verdict.reason}{held}"


def bind(settings: ApiSettings) -> socket.socket:
    """A socket bound to the public port that does not listen yet. Raises IbgaError."""
    family = socket.AF_INET6 if ":" in settings.listen else socket.AF_INET
    result = socket.socket(family, socket.SOCK_STREAM)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.listen == "::":
        result.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # "::" is everywhere, IPv4 too
    try:
        result.bind((settings.listen, settings.port))
    except OSError as error:
        result.close()
        raise _not_bound(settings, error) from None
    return result


def _not_bound(settings: ApiSettings, error: OSError) -> IbgaError:
    where = f"api.listen = {settings.listen}, api.port = {settings.port}"
    if error.errno == errno.EADDRINUSE:
        return IbgaError(
            f"{where}: the port is already taken",
            hint=f"who has it: ss -ltnp 'sport = :{settings.port}'",
            code=Exit.UNAVAILABLE,
        )
    return IbgaError(f"{where}: {error.strerror}", hint="an address of this host", code=Exit.UNAVAILABLE)


def tls_context(settings: ApiSettings) -> ssl.SSLContext | None:
    """What TLS the settings ask for; None without. Raises IbgaError for files that do not fit."""
    if settings.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
        if settings.tls_client_ca:
            context.load_verify_locations(settings.tls_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:  # ssl.SSLError is one
        raise IbgaError(
            f"api.tls_cert = {settings.tls_cert}, api.tls_key = {settings.tls_key}: {error.strerror}",
            hint="PEM files that belong together and that the user ibga can read",
            code=Exit.CONFIG,
        ) from None
    return context


if __name__ == "__main__":
    service.main(run)
