"""One viewer: websockify's own handler between a browser's WebSocket and x11vnc's unix socket.

Started by ibga.vnc.server as `python3 -m ibga.vnc.websockify FD RFB_SOCKET`. FD is the browser's connection,
whose request was read already and comes on standard input.
"""

import io
import logging
import signal
import socket
import sys
from types import SimpleNamespace

from websockify.websocketproxy import ProxyRequestHandler

from ibga.child import die_with_parent


class Handler(ProxyRequestHandler):  # type: ignore[misc]
    def setup(self) -> None:
        super().setup()
        self.rfile = io.BytesIO(self.server.head)

    def new_websocket_client(self) -> None:
        """In place of websockify's, which wants TCP under the WebSocket; with TLS there is a socket pair."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as target:
            try:
                target.connect(self.server.unix_target)
            except OSError:
                raise self.CClose(1011, "x11vnc is not there") from None
            self.do_proxy(target)


def main() -> None:
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    logging.disable()  # it says what it does line by line; who came and went stands in the journal already
    server = SimpleNamespace(
        head=sys.stdin.buffer.read(),
        unix_target=sys.argv[2],
        only_upgrade=True,
        token_plugin=None,
        auth_plugin=None,
        heartbeat=30,  # s, so that proxies on the way keep the connection
    )
    with socket.socket(fileno=int(sys.argv[1])) as stream:
        stream.settimeout(None)
        try:
            Handler(stream, ("viewer", 0), server)
        except OSError:
            pass  # the browser or x11vnc went away


if __name__ == "__main__":
    main()
