"""A web server on loopback that can do what servers do wrong: cut off, be slow, have no ranges."""

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = 64 * 1024


@dataclass
class Site:
    """What is served; a test changes it while the server runs."""

    files: dict[str, bytes]  # by path, "/name"
    cut_after: int | None = None  # bytes of each answer's body, then the connection is closed
    cut_times: int | None = None  # so many answers are cut; None: all
    length: bool = True  # whether Content-Length is sent
    ranges: bool = True
    etag: bool = True
    seconds_per_block: float = 0.0
    requests: list[tuple[str, str]] = field(default_factory=list)  # path and Range of each
    url: str = ""

    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            site.requests.append((self.path, self.headers.get("Range", "")))
            content = site.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            begin = 0
            wanted = self.headers.get("Range", "")
            if site.ranges and wanted and self.headers.get("If-Range") == etag:
                begin = int(wanted.removeprefix("bytes=").partition("-")[0])
            if begin and begin >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            if site.length:
                self.send_header("Content-Length", str(len(content) - begin))
            if site.etag:
                self.send_header("ETag", etag)
            self.end_headers()
            self._send(content[begin:])

        def _send(self, body: bytes) -> None:
            cut = site.cut_after if site.cut_times is None or site.cut_times > 0 else None
            if cut is not None and site.cut_times is not None:
                site.cut_times -= 1
            body = body[:cut]
            for start in range(0, len(body), BLOCK):
                try:
                    self.wfile.write(body[start : start + BLOCK])
                except OSError:  # the client went away
                    break
                time.sleep(site.seconds_per_block)
            self.close_connection = True

    return Handler


@contextmanager
def serving(**files: bytes) -> Iterator[Site]:
    """Serve *files* (name, with "__" for ".", and content) on a free port; `site.url` ends with a slash."""
    site = Site({"/" + name.replace("__", "."): content for name, content in files.items()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
