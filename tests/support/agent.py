"""The agent's jar, and a small Swing program (tests/component/agent/) that runs with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ibga.agent.commands import Command, send
from ibga.agent.heartbeat import Heartbeat, read_heartbeat
from ibga.agent.report import Answer, Report, Window, read_report
from tests.support.deadline import wait_until

ROOT = Path(__file__).resolve().parents[2]
JAR = ROOT / "build" / "ibga-agent.jar"
SOURCES = ROOT / "tests" / "component" / "agent"
# Real folders only: Debian adds links under further names.
JDKS = sorted(
    path.parents[1] for path in Path("/usr/lib/jvm").glob("*/bin/javac") if not path.parents[1].is_symlink()
)
START_TIMEOUT = 60.0  # seconds, on a loaded machine


def build_jar() -> Path:
    """Return the agent's jar, built where a source is newer."""
    subprocess.run(["sh", ROOT / "ibga" / "agent" / "build"], check=True, timeout=120)
    return JAR


def compile_sample(directory: Path) -> Path:
    """Compile the sample into *directory*, as Java 8, and return that."""
    subprocess.run(
        [JDKS[0] / "bin" / "javac", "--release", "8", "-Xlint:-options", "-encoding", "UTF-8",
         "-d", directory, "-sourcepath", SOURCES, SOURCES / "Sample.java"],
        check=True, timeout=120,
    )  # fmt: skip
    return directory


@dataclass(slots=True)
class Sample:
    """The running program; its runtime directory is *runtime*."""

    process: subprocess.Popen[str]
    runtime: Path
    said: list[str] = field(default_factory=list)

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip("\n"))

    def order(self, line: str) -> None:
        """Tell it what to do, without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def tell(self, line: str) -> None:
        """Tell it what to do, and wait until it is done."""
        word = "done " + line.split()[0]
        before = self.said.count(word)
        self.order(line)
        self.wait(lambda: self.said.count(word) > before, word)

    def wait(self, look: Callable[[], object], what: str, timeout: float = START_TIMEOUT) -> None:
        def seen() -> bool:
            assert self.process.poll() is None, f"the program ended with {self.process.returncode}"
            return bool(look())

        wait_until(seen, what, timeout=timeout, interval=0.01)

    def hears(self, line: str) -> None:
        """Wait until the program has said *line*."""
        self.wait(lambda: line in self.said, line, timeout=10)

    @property
    def ui(self) -> Path:
        return self.runtime / "ui.json"

    @property
    def fifo(self) -> Path:
        return self.runtime / "agent" / "fifo"

    def report(self, when: Callable[[Report], object], what: str, timeout: float = START_TIMEOUT) -> Report:
        """Return the first report for which *when* is true."""

        def look() -> Report | None:
            found = read_report(self.ui)
            return found if found is not None and when(found) else None

        report = wait_until(look, what, timeout=timeout, interval=0.01)
        assert report is not None
        return report

    def window(
        self,
        title: str,
        when: Callable[[Window], object] = lambda window: window.components,
        timeout: float = START_TIMEOUT,
    ) -> Window:
        """Return the window of that title once *when* is true of it."""

        def look(report: Report) -> Window | None:
            return next((each for each in report.windows if each.title == title and when(each)), None)

        found = look(self.report(look, f"window {title!r}", timeout))
        assert found is not None
        return found

    def heartbeat(self, when: Callable[[Heartbeat], object], what: str, timeout: float = 30) -> Heartbeat:
        def look() -> Heartbeat | None:
            found = read_heartbeat(self.runtime / "agent" / "heartbeat.json")
            return found if found is not None and when(found) else None

        heartbeat = wait_until(look, what, timeout=timeout)
        assert heartbeat is not None
        return heartbeat

    def command(self, command: Command, command_id: str | None = None) -> Answer:
        """Send a command and return its answer."""
        self.wait(self.fifo.exists, "the FIFO is there")
        sent = send(self.fifo, command, command_id)
        answer = self.report(lambda report: report.answer(sent), f"answer to {command}").answer(sent)
        assert answer is not None
        return answer

    def write(self, line: bytes) -> None:
        """Write raw bytes to the FIFO."""
        self.wait(self.fifo.exists, "the FIFO is there")
        descriptor = os.open(self.fifo, os.O_WRONLY)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def run_sample(
    java: Path,
    classes: Path,
    runtime: Path | None,
    environment: dict[str, str],
    *options: str,
    agent: bool = True,
) -> Iterator[Sample]:
    """Run the sample on *java*, a JDK's folder, with the agent in it; kill it at the end.

    Without *runtime* the agent is not told where to write.
    """
    environment = {name: value for name, value in environment.items() if name != "IBGA_RUNTIME_DIR"}
    if runtime is not None:
        environment["IBGA_RUNTIME_DIR"] = str(runtime)
    javaagent = [f"-javaagent:{JAR}"] if agent else []
    process = subprocess.Popen(
        [java / "bin" / "java", "-Xmx256m", *javaagent, *options, "-cp", classes, "Sample"],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    sample = Sample(process, runtime or Path("/nonexistent"))
    listener = threading.Thread(target=sample._listen, daemon=True)
    listener.start()
    try:
        sample.wait(lambda: "started" in sample.said, "the program runs")
        yield sample
    finally:
        process.kill()
        process.wait(10)
        listener.join(10)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
