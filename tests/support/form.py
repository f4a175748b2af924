"""A login form that is nothing but reports and a FIFO: the test's own process passes for the gateway.

For what has to be tried often: no JVM, no X server. The automator has to be configured with input = "agent".
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ibga import runtime
from ibga.paths import Paths
from ibga.runtime import Gateway, GatewayState
from tests.support.reports import DATA, each


class Form:
    """A filled-in login form but for its password. *on_press* is called before a press shows any effect."""

    def __init__(self, paths: Paths, username: str, on_press: Callable[[], None]) -> None:
        self.presses: list[float] = []  # time.monotonic()
        self.typed = threading.Event()  # the password is in
        self._paths = paths
        self._on_press = on_press
        self._report = json.loads((DATA / "login.json").read_text())
        self._report.update(pid=os.getpid(), answered=[])
        self._set({"text": "Paper Trading"}, selected=True)
        self._set({"text": "Live Trading"}, selected=False)
        self._set({"text": "Log In"}, text="Paper Log In", enabled=True)
        self._set({"base": "javax.swing.JTextField"}, text=username, length=len(username))
        paths.agent_dir.mkdir(parents=True, exist_ok=True)
        self.fifo = paths.agent_dir / "fifo"
        os.mkfifo(self.fifo)
        self._publish()

    def _set(self, where: dict[str, object], **values: object) -> None:
        for component in each(self._report, **where):
            component.update(values)

    def _publish(self) -> None:
        self._report["seq"] += 1
        new = self._paths.runtime_dir / ".ui.json.test"
        new.write_text(json.dumps(self._report))
        new.replace(self._paths.runtime_dir / "ui.json")

    def serve(self) -> None:
        """Obey commands until "end" comes."""
        with self.fifo.open() as fifo:
            for line in iter(fifo.readline, ""):
                if line == "end\n":
                    return
                self._obey(json.loads(line))

    def _obey(self, command: dict[str, Any]) -> None:
        (target,) = each(self._report, id=command["component"])
        if command["command"] == "set_text":
            target["length"] = len(command["text"])
            self.typed.set()
        elif target.get("text") == "Paper Log In":
            self._on_press()
            self.presses.append(time.monotonic())
            target["enabled"] = False
            self._set({"base": "javax.swing.JPasswordField"}, enabled=False)
        self._report["answered"] = [{"id": command["id"], "ok": True}]
        self._publish()


@contextmanager
def serving(paths: Paths, username: str, on_press: Callable[[], None]) -> Iterator[Form]:
    """Show the form and obey commands; what is shown is taken away at the end."""
    form = Form(paths, username, on_press)
    keep = os.open(form.fifo, os.O_RDWR)  # so that neither side waits for the other, or sees its end
    thread = threading.Thread(target=form.serve)
    thread.start()
    record = Gateway(
        state=GatewayState.RUNNING, reason="as the test says", since=time.time(), pid=os.getpid()
    )
    runtime.publish(paths.runtime_dir / "gateway.json", record)
    try:
        yield form
    finally:
        os.write(keep, b"end\n")
        thread.join(10)
        os.close(keep)
        for path in (form.fifo, paths.runtime_dir / "ui.json", paths.runtime_dir / "gateway.json"):
            path.unlink(missing_ok=True)
