"""What all services share: arguments, logging, signals, the way errors end a process."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from ibga.config import Config, load_for_service
from ibga.errors import IbgaError
from ibga.notify import Notifier

log = logging.getLogger("ibga")

#: syslog(3) levels for the journal (sd-daemon(3): a line may start with "<N>").
_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}


class JournalFormatter(logging.Formatter):
    """Prefix every line of a record with its priority, so that tracebacks keep it, too."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_PRIORITIES.get(record.levelno, 6)}>"
        return "\n".join(prefix + line for line in super().format(record).splitlines())


def log_to_journal(level: int = logging.INFO) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JournalFormatter("%(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)


def root_dir() -> Path:
    """The folder that stands for /: IBGA_ROOT, which tests and chroots set."""
    return Path(os.environ.get("IBGA_ROOT") or "/")


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(
    run: Callable[[Config, Notifier], None], *, secrets: bool = False, keep_config: bool = False
) -> None:
    """Run one service of the instance named by the only argument, and exit with its code.

    *secrets*: whether this service is given the account's secrets (only the automator is).
    *keep_config*: whether it keeps config.json, the last good configuration (only the gateway does).
    """
    parser = argparse.ArgumentParser(description=sys.modules[run.__module__].__doc__)
    parser.add_argument("instance", help="name of the instance, as in ibga@INSTANCE.target")
    instance = parser.parse_args().instance
    log_to_journal(logging.DEBUG if os.environ.get("IBGA_DEBUG") else logging.INFO)
    notify = Notifier()
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, _terminate)
    try:
        config = load_for_service(
            instance, root=root_dir(), secrets=secrets, environ=os.environ, keep=keep_config
        )
        run(config, notify)
    except IbgaError as error:
        log.error("%s", error)
        notify.status(str(error))
        raise SystemExit(int(error.code)) from None
