"""`ibga health` and `ibga ready`: the session's state as an exit code, or held for other units."""

import argparse
import signal
import threading
from pathlib import Path
from types import FrameType

from ibga.cli import the_one
from ibga.cli.status import Seen, look
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths
from ibga.runtime import State

#: States that a restart of everything may mend. In all others IB, a person or a step of our own is
#: waited for; a supervisor that restarts then costs a login and helps nobody.
DEAD_STATES = {State.FROZEN, State.FAILED}


def health(options: argparse.Namespace, root: Path) -> Exit:
    paths = the_one(options, root)
    seen = look(paths)
    good = is_live(seen) if options.live else seen.state == State.READY
    said = seen.session.reason if seen.session else "no word from the automator"
    stale = " (out of date)" if seen.stale else ""
    print(f"{paths.instance}: {seen.session.state if seen.session else 'unknown'}{stale}: {said}")
    return Exit.OK if good else Exit.FAILURE


def is_live(seen: Seen) -> bool:
    return seen.state is not None and seen.state not in DEAD_STATES


def ready(options: argparse.Namespace, root: Path) -> Exit:
    paths = the_one(options, root)
    if options.wait or options.hold:
        return _follow(paths, hold=options.hold)
    return Exit.OK if look(paths).state == State.READY else Exit.FAILURE


def _follow(paths: Paths, *, hold: bool) -> Exit:
    """Return when the session is ready, or with *hold* when it has been and is no longer."""
    from ibga.notify import Notifier
    from ibga.session import SessionRecord, following, is_ready

    notify = Notifier()
    if not paths.runtime_dir.is_dir():
        raise IbgaError(
            f"{paths.runtime_dir}: no such directory",
            hint=f"systemctl start ibga@{paths.instance}.target",
            code=Exit.UNAVAILABLE,
        )
    changed = threading.Event()
    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()
        changed.set()

    signal.signal(signal.SIGTERM, end)
    file = paths.runtime_dir / "session.json"
    record = SessionRecord(file)
    held = False
    with following(file, changed.set):
        while not ended.is_set():
            changed.clear()
            session = record.look()
            good = is_ready(session, record.age)
            if good and not hold:
                return Exit.OK
            if good and not held:
                held = True
                notify.ready("The session is ready")
            elif held and not good:
                notify.stopping("The session is no longer ready")
                return Exit.OK
            elif not held:
                notify.status(f"Waiting: {session.reason if session else 'no word of the session yet'}")
            changed.wait(record.valid_left)
    return Exit.OK if hold else Exit.FAILURE
