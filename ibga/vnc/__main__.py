"""The service: x11vnc, the page, vnc.json."""

import ipaddress
import logging
import queue
import time
from dataclasses import dataclass, replace
from pathlib import Path

from ibga import runtime, service
from ibga.child import Child
from ibga.config import Config
from ibga.errors import Exit, IbgaError
from ibga.notify import Notifier
from ibga.runtime import Display, Vnc, Watch, publish
from ibga.vnc import x11vnc
from ibga.vnc.probe import Probe
from ibga.vnc.server import Server, listen, load_tls

log = logging.getLogger("ibga.vnc")

#: Seconds. The unit starts after the display, so its record is there unless it is just being restarted.
DISPLAY_TIMEOUT = 30.0
#: Seconds from x11vnc's start until a browser would see the display.
START_TIMEOUT = 20.0
#: Seconds between looks while something does not answer.
RETRY_INTERVAL = 1.0


def run(config: Config, notify: Notifier) -> None:
    settings, paths = config.vnc, config.paths
    vnc_json = paths.runtime_dir / "vnc.json"
    vnc_json.unlink(missing_ok=True)
    if not (paths.novnc_dir / "core/rfb.js").is_file():
        raise IbgaError(f"no noVNC in {paths.novnc_dir}", hint="reinstall ibga", code=Exit.UNAVAILABLE)
    if settings.password_file is not None:
        x11vnc.check_password(settings.password_file)
    tls = load_tls(settings)
    listener = listen(settings)
    address, port = listener.getsockname()[:2]
    display = wait_for_display(paths.runtime_dir)
    rfb_socket = paths.runtime_dir / "x11vnc.sock"
    wake: queue.SimpleQueue[None] = queue.SimpleQueue()
    server = Server(
        listener,
        tls=tls,
        files=paths.novnc_dir,
        rfb_socket=rfb_socket,
        about={"instance": config.instance, "view_only": settings.view_only},
        local_only=ipaddress.ip_address(address).is_loopback and settings.password_file is None,
        on_viewers=lambda: wake.put(None),
    )
    try:
        with x11vnc.start(display, rfb_socket, settings, on_exit=lambda: wake.put(None)) as child:
            # So that silence is named in the journal just before systemd's watchdog ends it.
            probe = Probe(address, port, tls=tls is not None, limit=0.8 * notify.ping_interval)
            bridge = Bridge(child, server, probe, rfb_socket)
            bridge.wait_until_seen()
            record = Vnc(
                page=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
                password=settings.password_file is not None,
                tls=tls is not None,
                clients=0,
                since=time.time(),
            )
            publish(vnc_json, record)
            notify.ready(sentence(record))
            log.info("%s is shown on %s", display.name, record.page)
            serve(bridge, record, vnc_json, notify, wake)
    finally:
        server.close()
        vnc_json.unlink(missing_ok=True)
        rfb_socket.unlink(missing_ok=True)


def wait_for_display(runtime_dir: Path) -> Display:
    """Return display.json; raises IbgaError where there is none in time."""
    display_json = runtime_dir / "display.json"
    with Watch([runtime_dir]) as watch:
        deadline = time.monotonic() + DISPLAY_TIMEOUT
        while (display := runtime.read(display_json, Display)) is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise IbgaError(
                    f"no {display_json} within {DISPLAY_TIMEOUT:g} s",
                    hint="is ibga-display up?",
                    code=Exit.UNAVAILABLE,
                )
            watch.wait(left)
    return display


@dataclass(frozen=True, slots=True)
class Bridge:
    """All that stands between the display and a browser."""

    child: Child  # x11vnc
    server: Server
    probe: Probe
    rfb_socket: Path

    def wait_until_seen(self) -> None:
        """Return when a browser would see the display; raises IbgaError when it cannot in time."""
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            try:
                return self.look(through_websocket=True)
            except OSError as problem:
                if ended := self.child.ended(timeout=0.05):  # s, the pause between two looks
                    raise IbgaError(ended, code=Exit.UNAVAILABLE) from None
                if time.monotonic() > deadline:
                    raise IbgaError(
                        f"the display cannot be shown: {problem}", code=Exit.UNAVAILABLE
                    ) from None

    def look(self, *, through_websocket: bool) -> None:
        """Return when the page answers and x11vnc greets; raises OSError else.

        *through_websocket*: have the greeting come the whole way, too; that starts a websockify for a moment.
        """
        x11vnc.greets(self.rfb_socket, limit=self.probe.limit)
        self.probe.page()
        if through_websocket:
            self.probe.greeting(self.server.probe_path)


def serve(
    bridge: Bridge, record: Vnc, vnc_json: Path, notify: Notifier, wake: "queue.SimpleQueue[None]"
) -> None:
    """Ping after each look, publish who looks; ends only by an exception."""
    last_good = time.monotonic()
    next_look = last_good + notify.ping_interval
    while True:
        try:
            wake.get(timeout=max(0.0, next_look - time.monotonic()))
        except queue.Empty:
            pass
        if ended := bridge.child.ended():
            raise IbgaError(ended, code=Exit.UNAVAILABLE)
        if record.clients != (viewers := bridge.server.viewers):
            record = replace(record, clients=viewers)
            publish(vnc_json, record)
            notify.status(sentence(record))
        if time.monotonic() < next_look:
            continue
        bridge.server.end_halted()
        try:
            bridge.look(through_websocket=viewers > 0)
        except OSError as problem:
            log.warning("nobody could look: %s", problem)
            if time.monotonic() - last_good > 1.7 * notify.ping_interval:  # the watchdog would fire at 2
                raise IbgaError(f"nobody could look: {problem}", code=Exit.UNAVAILABLE) from None
            next_look = time.monotonic() + RETRY_INTERVAL
        else:
            notify.ping()
            last_good = time.monotonic()
            next_look = last_good + notify.ping_interval


def sentence(record: Vnc) -> str:
    viewers = {0: "nobody looks", 1: "1 viewer"}.get(record.clients, f"{record.clients} viewers")
    return f"{'https' if record.tls else 'http'}://{record.page}/, {viewers}"


if __name__ == "__main__":
    service.main(run)
