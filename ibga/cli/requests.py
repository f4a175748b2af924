"""`ibga login`, `retry`, `lend` and `close`: ask the service whose duty it is, and tell what it answers.

Writes: requests/. Reads: gateway.json, replies/.
"""

import argparse
import os
import time
from pathlib import Path

from ibga import runtime
from ibga.cli import not_permitted, the_one
from ibga.config.values import Wrong, duration
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths
from ibga.runtime import Gateway, GatewayState, Reply, Request, RequestKind

# In seconds.
TAKEN_TIMEOUT = 15.0  # for the service to take the request up; the automator may be typing a password
ANSWER_TIMEOUT = 120.0  # for its answer; a logout may take a minute and a half
LONGEST = 31 * 86400.0  # that a session is lent; longer is closed


def login(options: argparse.Namespace, root: Path) -> Exit:
    paths = the_one(options, root)
    if _is_away(paths):
        return _ask(paths, RequestKind.RETURN, "ibga-gateway")
    return _ask(paths, RequestKind.LOGIN, "ibga-automator")


def retry(options: argparse.Namespace, root: Path) -> Exit:
    return _ask(the_one(options, root), RequestKind.RETRY, "ibga-automator")


def lend(options: argparse.Namespace, root: Path) -> Exit:
    paths = the_one(options, root)
    try:
        seconds = duration(options.time)
    except Wrong as wrong:
        raise IbgaError(f"{options.time!r} is not {wrong}", hint=wrong.allowed, code=Exit.USAGE) from None
    if not seconds or seconds > LONGEST:
        raise IbgaError("lend for how long?", hint="1s to 31d, as in: ibga lend 2h", code=Exit.USAGE)
    return _ask(paths, RequestKind.LEAVE, "ibga-gateway", until=time.time() + seconds)


def close(options: argparse.Namespace, root: Path) -> Exit:
    return _ask(the_one(options, root), RequestKind.LEAVE, "ibga-gateway")


def _is_away(paths: Paths) -> bool:
    gateway = runtime.read(paths.runtime_dir / "gateway.json", Gateway)
    return gateway is not None and gateway.state is GatewayState.STOPPED


def _ask(paths: Paths, kind: RequestKind, owner: str, *, until: float | None = None) -> Exit:
    """Ask, wait for the answer and print it; OK or FAILURE as it says. Raises IbgaError without one."""
    unit = f"{owner}@{paths.instance}"
    if not (paths.requests_dir.is_dir() and paths.replies_dir.is_dir()):
        hint = f"systemctl start ibga@{paths.instance}.target"
        raise IbgaError(f"{unit} does not run", hint=hint, code=Exit.UNAVAILABLE)
    if not os.access(paths.requests_dir, os.W_OK):
        raise not_permitted(paths.requests_dir)
    os.umask(0o027)  # the service is to read it, by its group
    name = f"cli-{time.time_ns()}-{os.getpid()}.json"
    request, answer = paths.requests_dir / name, paths.replies_dir / name
    with runtime.Watch([paths.requests_dir, paths.replies_dir]) as watch:
        runtime.publish(request, Request(request=kind, time=time.time(), sender="cli", until=until))
        try:
            reply = _reply(watch, request, answer, unit)
        finally:
            request.unlink(missing_ok=True)  # nobody shall act on it later
    print(f"{paths.instance}: {reply.detail}")
    return Exit.OK if reply.ok else Exit.FAILURE


def _reply(watch: runtime.Watch, request: Path, answer: Path, unit: str) -> Reply:
    asked = time.monotonic()
    while True:
        reply = runtime.read(answer, Reply)
        if reply is not None:
            return reply
        waited = time.monotonic() - asked
        if waited > TAKEN_TIMEOUT and request.exists():
            raise IbgaError(
                f"{unit} did not take the request up within {TAKEN_TIMEOUT:g} s",
                hint=f"systemctl status {unit}",
                code=Exit.UNAVAILABLE,
            )
        if waited > ANSWER_TIMEOUT:
            raise IbgaError(
                f"{unit} did not answer within {ANSWER_TIMEOUT:g} s; it may still do it",
                hint="ibga status",
                code=Exit.TEMPORARY,
            )
        watch.wait(1.0)
