"""A headless Chromium, spoken to through its DevTools pipe (file descriptors 3 and 4, JSON ended by NUL)."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from types import TracebackType
from typing import Any, Self

from tests.support.deadline import wait_until

_OPTIONS = (
    "--headless",
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--ignore-certificate-errors",
    "--no-first-run",
    # Nothing to anybody on the Internet.
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)


class Browser:
    """As a context manager: one browser with one page."""

    def __init__(self, *, width: int = 1100, height: int = 900) -> None:
        self._profile = tempfile.mkdtemp(prefix="ibga-chromium-")
        their_in, self._out = os.pipe()
        self._in, their_out = os.pipe()
        self._process = subprocess.Popen(
            # bash puts the pipes where Chromium wants them; sh knows descriptors up to 9 only.
            [
                *("/bin/bash", "-c", f'exec "$@" 3<&{their_in} 4>&{their_out}', "bash", "chromium"),
                *_OPTIONS,
                *(f"--user-data-dir={self._profile}", f"--window-size={width},{height}", "about:blank"),
            ],
            pass_fds=[their_in, their_out],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(their_in)
        os.close(their_out)
        self._buffer = b""
        self._number = 0
        self._session = ""
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=page["targetId"], flatten=True)[
            "sessionId"
        ]

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 30
        while True:
            while b"\0" not in self._buffer:
                ready, _, _ = select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))
                data = os.read(self._in, 1 << 20) if ready else b""
                if not data:
                    raise AssertionError(f"Chromium did not answer {method}")
                self._buffer += data
            line, _, self._buffer = self._buffer.partition(b"\0")
            answer = json.loads(line)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result

    def open(self, url: str) -> None:
        """Load *url* and return when the page is there (its modules may still run)."""
        self._call("Page.navigate", url=url)
        self.wait_for(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        result = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise AssertionError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait_for(self, expression: str, *, timeout: float = 20.0) -> Any:
        """Return the value of *expression* once it is true."""
        return wait_until(lambda: self.evaluate(expression), expression, timeout=timeout, interval=0.1)

    def screenshot(self, *, clip: tuple[int, int, int, int] | None = None) -> bytes:
        """Return the page as PNG; *clip* is x, y, width, height in px."""
        params: dict[str, Any] = {}
        if clip is not None:
            x, y, width, height = clip
            params["clip"] = {"x": x, "y": y, "width": width, "height": height, "scale": 1}
        return base64.b64decode(self._call("Page.captureScreenshot", **params)["data"])

    def move_mouse(self, x: float, y: float) -> None:
        self._call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)  # Chromium ends when its pipe does
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        shutil.rmtree(self._profile, ignore_errors=True)
