"""Measure what the product promises, and print it beside the budgets.

    python3 -m tests.bench [--idle SECONDS] [NAME ...]

The suite runs without systemd, with the simulator as its gateway; the simulator's own clock times the
windows. Ends with 1 when a budget is missed.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from ibga.runtime import State
from tests.support.deadline import wait_until
from tests.support.simulator import Event
from tests.support.suite import REPOSITORY, Suite, running_suite

DIALOGS = "no-settings,auto-restart-info,newer"
LOGINS = 10
STATUS_CALLS = 20
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; *budgets* are for the median and the 99th percentile (None: not promised)."""

    what: str
    values: tuple[float, ...]
    unit: str
    budgets: tuple[float | None, float | None]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def p99(self) -> float:
        return sorted(self.values)[min(len(self.values) - 1, int(len(self.values) * 0.99))]

    @property
    def kept(self) -> bool:
        found = (self.median, self.p99)
        return all(
            budget is None or value <= budget for value, budget in zip(found, self.budgets, strict=True)
        )


def bench_dialogs() -> list[Row]:
    """Window shown to right button pressed, as the simulator saw it; and what XTEST's rival takes."""
    rows = []
    for way, count, budgets in (("auto", 200, (20.0, 100.0)), ("agent", 200, (None, None))):
        with running_suite(toml=f'[login]\ninput = "{way}"\n') as suite:
            suite.wait_state(State.READY)
            suite.command(f"bench {count} 50 {DIALOGS}")
            wait_until(lambda: suite.events("bench-done"), "all dialogs are answered", timeout=120)
            presses = [event for event in suite.events("press") if event.get("dialog") in DIALOGS.split(",")]
        assert len(presses) == count, f"{len(presses)} presses for {count} dialogs"
        assert {event["text"] for event in presses} == {"OK"}
        latencies = tuple(event["latency_ms"] for event in presses)
        name = "XTEST" if way == "auto" else "agent"
        rows.append(Row(f"window shown -> button pressed, {name}, {count}", latencies, "ms", budgets))
    return rows


def bench_login() -> list[Row]:
    """Login frame shown to "Log In" pressed, and the API's first handshake to an open relay."""
    logins, relays, starts = [], [], []
    for number in range(LOGINS):
        begun = time.time()
        with running_suite(mode="live" if number % 2 else "paper") as suite:
            opened = _wait_open(suite.api_port)
            starts.append(opened - begun)
            events = suite.events()
            shown = _first(events, "window-shown", dialog="login")["time"]
            pressed = next(
                event["time"]
                for event in events
                if event["event"] == "press" and event["text"] in ("Log In", "Paper Log In")
            )
            answered = _first(events, "api-handshake")["time"]
        logins.append(pressed - shown)
        relays.append(opened - answered)
    return [
        Row(f"login frame shown -> Log In pressed, {LOGINS}", tuple(logins), "s", (0.8, None)),
        Row(f"API answered -> relay open, {LOGINS}", tuple(relays), "s", (0.3, None)),
        Row(f"start of all services -> relay open, {LOGINS}", tuple(starts), "s", (None, None)),
    ]


def _first(events: list[Event], name: str, **details: object) -> Event:
    return next(
        event
        for event in events
        if event["event"] == name and all(event[key] == value for key, value in details.items())
    )


def _wait_open(port: int) -> float:
    """Return the time at which the port first accepted, to a millisecond."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return time.time()
        except OSError:
            time.sleep(0.001)
    raise AssertionError("the relay did not open")


def bench_idle(seconds: float) -> list[Row]:
    """Memory and processor time of an instance that is ready and left alone."""
    with running_suite() as suite, _vnc(suite):
        suite.wait_state(State.READY)
        time.sleep(10)  # what a start leaves behind: just-in-time compilation, the garbage of it
        pythons = [process for process in suite.tree.processes() if process.name().startswith("python")]
        jvm = next(process for process in suite.tree.processes() if process.name() == "java")
        before, agent_before = _cpu(pythons), _agent_cpu(jvm.pid)
        looks_before = _looks(suite)
        time.sleep(seconds)
        after, agent_after = _cpu(pythons), _agent_cpu(jvm.pid)
        pss = sum(process.memory_full_info().pss for process in pythons) / 2**20
        names = ", ".join(
            f"{process.cmdline()[2].removeprefix('ibga.')} {process.memory_full_info().pss / 2**20:.0f}"
            for process in pythons
        )
        # The looks on the event thread are counted by the agent itself; a forced report carries the count.
        suite.command("big-window 600")
        wait_until(lambda: _stats(suite)["components"] >= 600, "the agent reports 600 components")
        time.sleep(2)
        stats = _stats(suite)
    edt = (stats["looks"] - looks_before) * stats["look_ms_median"] / 1000
    print(f"  PSS in MiB: {names}", file=sys.stderr)
    return [
        Row("idle: PSS of all Python processes", (pss,), "MiB", (100.0, None)),
        Row("idle: processor time of all Python", (100 * (after - before) / seconds,), "%", (0.2, None)),
        Row(
            "idle: processor time of the agent",
            (100 * (agent_after - agent_before + edt) / (seconds + 2),),
            "%",
            (0.3, None),
        ),
        Row("a walk of 600 components", (stats["walk_ms_median"],), "ms", (3.0, None)),
    ]


@contextmanager
def _vnc(suite: Suite) -> Iterator[None]:
    subprocess.run([REPOSITORY / "packaging/novnc/fetch", suite.tree.paths.novnc_dir], check=True)
    service = suite.tree.start("ibga.vnc", watchdog=20)
    service.wait_ready(30)
    yield


def _cpu(processes: list[psutil.Process]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def _agent_cpu(pid: int) -> float:
    """Seconds that the agent's own threads have used; their names begin with "ibga"."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        name, _, rest = (task / "stat").read_text().partition(") ")
        if "(ibga" in name:
            fields = rest.split()
            total += (int(fields[11]) + int(fields[12])) / _TICKS
    return total


def _stats(suite: Suite) -> dict[str, float]:
    stats: dict[str, float] = json.loads((suite.tree.paths.runtime_dir / "ui.json").read_text())["stats"]
    return stats


def _looks(suite: Suite) -> float:
    return _stats(suite)["looks"]


def bench_status() -> list[Row]:
    """`ibga status` as an operator runs it, against importing nothing at all."""
    with running_suite() as suite:
        suite.wait_state(State.READY)
        environment = {**os.environ, "IBGA_ROOT": str(suite.tree.root), "PYTHONPATH": str(REPOSITORY)}

        def timed(*command: str) -> tuple[float, ...]:
            times = []
            for _ in range(STATUS_CALLS):
                begun = time.perf_counter()
                subprocess.run(
                    ["/usr/bin/python3", *command], env=environment, check=True, stdout=subprocess.DEVNULL
                )
                times.append(1000 * (time.perf_counter() - begun))
            return tuple(times)

        return [
            Row(f"ibga status, {STATUS_CALLS}", timed("-m", "ibga", "status"), "ms", (150.0, None)),
            Row(f"python3 doing nothing, {STATUS_CALLS}", timed("-c", ""), "ms", (None, None)),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--idle", type=float, default=300, metavar="SECONDS", help="of idling; default 300")
    benches: dict[str, Callable[[], list[Row]]] = {
        "dialogs": bench_dialogs,
        "login": bench_login,
        "status": bench_status,
        "idle": lambda: bench_idle(arguments.idle),
    }
    parser.add_argument("name", nargs="*", help=f"of {', '.join(benches)}; default: all")
    arguments = parser.parse_args()
    if unknown := set(arguments.name) - set(benches):
        parser.error(f"no such bench: {', '.join(sorted(unknown))} (there are {', '.join(benches)})")
    print(f"{'':52} {'median':>9} {'p99':>9} {'budget':>12}")
    missed = 0
    for name in arguments.name or benches:
        for row in benches[name]():
            budget = " / ".join(f"{each:g}" for each in row.budgets if each is not None) or "-"
            verdict = "" if row.kept else "  MISSED"
            missed += not row.kept
            print(
                f"{row.what:52} {row.median:9.2f} {row.p99:9.2f} {budget:>12} {row.unit}{verdict}", flush=True
            )
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main()
