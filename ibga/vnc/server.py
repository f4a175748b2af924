"""Listen for browsers: answer requests for the page, hand each WebSocket to a websockify child."""

import contextlib
import logging
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from ibga.config.settings import VncSettings
from ibga.errors import Exit, IbgaError
from ibga.vnc import http

if TYPE_CHECKING:
    import ssl

log = logging.getLogger(__name__)

WEBSOCKET_PATH = "/websockify"

#: Connections at one time. A browser opens six for the page's files.
MAX_CONNECTIONS = 64
#: Each is a process of 30 MiB.
MAX_VIEWERS = 8

#: Seconds a connection may be silent before and between requests.
IDLE_TIMEOUT = 15.0


def listen(settings: VncSettings) -> socket.socket:
    """Return a listening socket on vnc.listen, vnc.port. Raises IbgaError where that cannot be had."""
    where = f"{settings.listen}:{settings.port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.listen, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(MAX_CONNECTIONS)
    except OSError as problem:
        raise IbgaError(
            f"cannot listen on {where}: {problem.strerror}",
            hint="is vnc.port taken by another program or instance, vnc.listen not an address of this host?",
            code=Exit.UNAVAILABLE,
        ) from None
    return listener


def load_tls(settings: VncSettings) -> "ssl.SSLContext | None":
    """Return the context for vnc.tls_cert and vnc.tls_key, or None where there is no certificate."""
    if settings.tls_cert is None:
        return None
    import ssl  # 3 MiB that most instances do not need

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as problem:
        raise IbgaError(
            f"vnc.tls_cert, vnc.tls_key: {problem}",
            hint="PEM files, readable by the user ibga; the key without a passphrase",
            code=Exit.CONFIG,
        ) from None
    return context


class Server:
    """Serves until `close`, in threads of its own."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        tls: "ssl.SSLContext | None",
        files: Path,
        rfb_socket: Path,
        about: dict[str, object],
        local_only: bool,
        on_viewers: Callable[[], None],
    ) -> None:
        """*about*: what the page is told as instance.json. *on_viewers*: called when their number changes.

        *local_only*: see http.foreign.
        """
        self._listener = listener
        self._tls = tls
        self._files = files
        self._rfb_socket = rfb_socket
        self._about = about
        self._local_only = local_only
        self._on_viewers = on_viewers
        self._slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._lock = threading.Lock()
        self._viewers = 0
        self._children: set[int] = set()  # pids of the websockify that run
        #: A WebSocket that is asked for by this name is our own probe, no viewer.
        self.probe_path = f"{WEBSOCKET_PATH}?{secrets.token_urlsafe(16)}"
        threading.Thread(target=self._accept, name="accept", daemon=True).start()

    @property
    def viewers(self) -> int:
        return self._viewers

    def _accept(self) -> None:
        while True:
            try:
                stream, peer = self._listener.accept()
            except OSError:
                return  # closed
            if not self._slots.acquire(blocking=False):
                stream.close()
                continue
            threading.Thread(target=self._serve, args=(stream, peer[0]), daemon=True).start()

    def _serve(self, stream: socket.socket, peer: str) -> None:
        try:
            stream.settimeout(IDLE_TIMEOUT)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                stream = self._tls.wrap_socket(stream, server_side=True)
            self._answer(stream, peer)
        except OSError as problem:  # gone, silent, no TLS
            log.debug("%s: %s", peer, problem)
        finally:
            stream.close()
            self._slots.release()

    def _answer(self, stream: socket.socket, peer: str) -> None:
        """Answer requests until the connection ends or becomes a WebSocket."""
        while head := _read_head(stream):
            try:
                request = http.parse(head)
            except http.BadRequest as problem:
                stream.sendall(http.error(HTTPStatus.BAD_REQUEST, str(problem)))
                return
            if request.upgrade:
                self._upgrade(stream, head, request, peer)
                return
            if request.path == "/instance.json":
                stream.sendall(http.json_response(self._about, request))
            else:
                stream.sendall(http.file_response(request, self._files))
            if not request.keep_alive:
                return

    def _upgrade(self, stream: socket.socket, head: bytes, request: http.Request, peer: str) -> None:
        if request.target == self.probe_path:
            self._view(stream, head)
            return
        if request.path != WEBSOCKET_PATH:
            stream.sendall(http.error(HTTPStatus.NOT_FOUND, f"the WebSocket is {WEBSOCKET_PATH}"))
            return
        if why := http.foreign(request, local_only=self._local_only):
            log.warning("viewer %s refused: %s", peer, why)
            stream.sendall(http.error(HTTPStatus.FORBIDDEN, why))
            return
        if not self._count(1):
            stream.sendall(http.error(HTTPStatus.SERVICE_UNAVAILABLE, f"{MAX_VIEWERS} are looking already"))
            return
        log.info("viewer %s connected", peer)
        try:
            self._view(stream, head)
        finally:
            self._count(-1)
            log.info("viewer %s disconnected", peer)

    def _count(self, change: int) -> bool:
        with self._lock:
            if self._viewers + change > MAX_VIEWERS:
                return False
            self._viewers += change
        self._on_viewers()
        return True

    def _view(self, stream: socket.socket, head: bytes) -> None:
        """Have a websockify child speak with the browser; return when it has ended."""
        _find_dead_peers(stream)
        with contextlib.ExitStack() as stack:
            child_end, our_end = stream, None
            if self._tls is not None:  # what TLS knows of the connection cannot be handed to a child
                child_end, our_end = (stack.enter_context(end) for end in socket.socketpair())
            isolated = ["-I"] if sys.flags.isolated else []
            module = [sys.executable, *isolated, "-m", "ibga.vnc.websockify"]
            with self._lock:
                child = subprocess.Popen(
                    [*module, str(child_end.fileno()), str(self._rfb_socket)],
                    stdin=subprocess.PIPE,
                    pass_fds=[child_end.fileno()],
                )
                self._children.add(child.pid)
            stack.callback(self._reap, child)
            assert child.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # it was killed; waited for below
                child.stdin.write(head)
                child.stdin.close()
            if our_end is not None:
                child_end.close()
                _pump(stream, our_end)

    def _reap(self, child: "subprocess.Popen[bytes]") -> None:
        """Wait for the end of *child*; its number is not looked at once another process may have it."""
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            self._children.discard(child.pid)
        child.wait()

    def end_halted(self) -> None:
        """Kill each websockify that was halted (SIGSTOP): its viewer's page then comes back with another."""
        with self._lock:
            for pid in self._children:
                with contextlib.suppress(OSError):  # it has just ended
                    # The state follows the name, which stands in brackets (proc(5)).
                    if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt":
                        log.warning("a viewer's websockify, pid %d, was halted; it is ended", pid)
                        os.kill(pid, signal.SIGKILL)

    def close(self) -> None:
        # shutdown, as close alone does not end an accept() that another thread is in
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def _read_head(stream: socket.socket) -> bytes:
    """Return a request up to its empty line; b"" at the end of the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        if len(head) > http.HEAD_LIMIT:
            raise ConnectionError("a request without an end")
        # Requests have no body, and browsers do not send the next one ahead: nothing follows the empty line.
        data = stream.recv(4096)
        if not data:
            return b""
        head += data
    return head


def _find_dead_peers(stream: socket.socket) -> None:
    """Have the kernel end the connection about a minute after the browser's machine has vanished."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def _pump(tls: socket.socket, plain: socket.socket) -> None:
    """Carry bytes both ways until one side ends. One thread: a TLS connection bears no two at a time."""
    import ssl

    assert isinstance(tls, ssl.SSLSocket)
    not_now = (ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError)
    waiting = {tls: b"", plain: b""}  # bytes to be sent there
    other = {tls: plain, plain: tls}
    for stream in waiting:
        stream.setblocking(False)
    while True:
        readers = [stream for stream in waiting if not waiting[other[stream]]]
        writers = [stream for stream in waiting if waiting[stream]]
        buffered = (
            tls in readers and tls.pending() > 0
        )  # select() does not see what TLS has decrypted already
        readable, writable, _ = select.select(readers, writers, [], 0 if buffered else None)
        for stream in writable:
            with contextlib.suppress(*not_now):
                waiting[stream] = waiting[stream][stream.send(waiting[stream]) :]
        for stream in {*readable, *([tls] if buffered else [])}:
            with contextlib.suppress(*not_now):
                data = stream.recv(65536)
                if not data:
                    return
                waiting[other[stream]] = data
