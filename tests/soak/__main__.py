"""Let an instance be ready for a while beside eight busy loops, and see that no watchdog fires.

    python3 -m tests.soak [--minutes 10] [--debian 12]

A booted container with the package of this tree, as in the system tier; root only. Ends with 1 when a
part was restarted, a watchdog fired, or the session did not stay ready.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ibga.runtime import State
from tests.support.container import SUITES, TREE, Container, booted
from tests.support.instance import PARTS, Instance, jvm_pids

LOOPS = 8
LOOK_INTERVAL = 1.0  # s


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep *count* processes of this machine busy; they end with us, however that happens."""
    command = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", "while :; do :; done"]
    loops = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
        assert all(loop.poll() is None for loop in loops)
    finally:
        for loop in loops:
            loop.kill()
        for loop in loops:
            loop.wait(10)


def lives(instance: Instance) -> dict[str, str]:
    """What changes when a part or the gateway is replaced: pids and numbers of restarts."""
    container = instance.container
    units = {
        part: " ".join(container.property(instance.unit(part), each) for each in ("MainPID", "NRestarts"))
        for part in PARTS
    }
    return {**units, "jvm": str(jvm_pids(container))}


def watchdog_lines(container: Container) -> list[str]:
    lines = container.journal("-o", "cat").splitlines()
    return [line for line in lines if "watchdog timeout" in line.lower()]


def soak(instance: Instance, minutes: float) -> list[str]:
    """Return what went wrong."""
    before = lives(instance)
    end = time.monotonic() + 60 * minutes
    not_ready: dict[str, int] = {}
    with busy_loops(LOOPS):
        while time.monotonic() < end:
            session = instance.session()
            if session is None or session.state is not State.READY:
                said = f"{session.state}: {session.reason}" if session else "no session.json"
                not_ready[said] = not_ready.get(said, 0) + 1
            time.sleep(LOOK_INTERVAL)
    after = lives(instance)
    return [
        *watchdog_lines(instance.container),
        *(f"{part}: {before[part]} became {after[part]}" for part in before if before[part] != after[part]),
        *(f"not ready in {count} looks: {said}" for said, count in not_ready.items()),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--debian", choices=SUITES, default="12")
    options = parser.parse_args()
    built = subprocess.run(
        ["packaging/build-deb"], cwd=TREE, check=True, stdout=subprocess.PIPE, text=True, timeout=300
    )
    with booted(options.debian, say=print) as container:
        container.install(TREE / built.stdout.strip())
        instance = Instance(container)
        instance.configure()
        instance.start()
        instance.wait_state(State.READY)
        wrong = soak(instance, options.minutes)
        restarts = sum(int(container.property(instance.unit(part), "NRestarts")) for part in PARTS)
        instance.stop()
        left = instance.processes()
    for each in wrong:
        print(each)
    if left:
        print(f"left after the stop:\n{left}")
    verdict = "FAILED" if wrong or left else "ok"
    print(
        f"soak: {verdict}: Debian {options.debian}, {options.minutes:g} minutes beside {LOOPS} busy loops, "
        f"{restarts} restarts, {len(wrong)} complaints"
    )
    return 1 if wrong or left else 0


if __name__ == "__main__":
    sys.exit(main())
