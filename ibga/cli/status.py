"""`ibga status`: what the runtime files of an instance say, for people or as JSON."""

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from ibga.cli import chosen, not_permitted
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths
from ibga.runtime import Api, Gateway, LoginsLeft, Session, State, Vnc, age, read

R = TypeVar("R", Api, Gateway, Session, Vnc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The runtime files of one instance, as they are now."""

    session: Session | None
    session_age: float  # s
    gateway: Gateway | None
    api: Api | None
    vnc: Vnc | None
    unreadable: tuple[str, ...]  # what could not be read, and why

    @property
    def stale(self) -> bool:
        return self.session is not None and self.session_age > self.session.valid_for

    @property
    def state(self) -> State | None:
        """None while it is not known: no record, or one that nobody renews."""
        return None if self.session is None or self.stale else self.session.state


def look(paths: Paths) -> Seen:
    """Read what is there. Raises IbgaError when the directory may not be read."""
    directory = paths.runtime_dir
    if directory.exists() and not os.access(directory, os.R_OK | os.X_OK):
        raise not_permitted(directory)
    unreadable: list[str] = []

    def get(name: str, kind: type[R]) -> R | None:
        try:
            return read(directory / name, kind)
        except IbgaError as error:
            unreadable.append(error.message)
            return None

    session = get("session.json", Session)
    return Seen(
        session=session,
        session_age=age(directory / "session.json") or 0.0,
        gateway=get("gateway.json", Gateway),
        api=get("api.json", Api),
        vnc=get("vnc.json", Vnc),
        unreadable=tuple(unreadable),
    )


def status(options: argparse.Namespace, root: Path) -> Exit:
    seen = {name: look(Paths(name, root)) for name in chosen(options, root)}
    if options.json:
        print(json.dumps({name: as_data(each) for name, each in seen.items()}, indent=2, ensure_ascii=False))
    else:
        now = time.time()
        print("\n\n".join("\n".join(lines(name, each, now)) for name, each in seen.items()))
    return Exit.OK


def as_data(seen: Seen) -> dict[str, Any]:
    """The object of one instance. `state` is null while it is not known; `last_state` is the last one."""
    session = seen.session
    return {
        "state": seen.state,
        "last_state": session.state if session else None,
        "stale": seen.stale,
        "reason": _reason(seen),
        "since": session.since if session else None,
        "deadline": session.deadline if session else None,
        "person": session.person if session else "",
        "facts": asdict(session.facts) if session else None,
        "warnings": [*(session.warnings if session else ()), *seen.unreadable],
        "pending": list(session.pending) if session else [],
        "logins": asdict(session.logins) if session and session.logins else None,
        "api": asdict(seen.api) if seen.api else None,
        "vnc": asdict(seen.vnc) if seen.vnc else None,
        "gateway": asdict(seen.gateway) if seen.gateway else None,
    }


def _reason(seen: Seen) -> str:
    if seen.session is None:
        if any("session.json" in each for each in seen.unreadable):
            return "the automator's record cannot be read"
        return "no word from the automator: is ibga-automator up?"
    if seen.stale:
        return f"no word from the automator for {span(seen.session_age)}; the last was: {seen.session.reason}"
    return seen.session.reason


def lines(name: str, seen: Seen, now: float) -> Iterator[str]:
    """The lines for people."""
    session = seen.session
    if session is None or seen.stale:
        last = f" (last: {session.state})" if session else ""
        yield f"{name}: unknown{last}"
    else:
        yield f"{name}: {session.state} since {moment(session.since)} ({span(now - session.since)})"
    yield f"  {_reason(seen)}"
    if session and not seen.stale:
        if session.person or session.deadline:
            until = f" until {clock(session.deadline, now)}" if session.deadline else ""
            if session.person:
                yield f"  {'to do:':<9}{session.person}{until}"
            else:
                yield f"  {'waits:':<9}{until.strip()}"
        for kind in ("process", "ui", "api", "farms"):
            fact = getattr(session.facts, kind)
            detail = f", {fact.detail}" if fact.detail else ""
            seen_ago = f"{span(max(0.0, now - fact.time))} ago" if fact.time else "never looked at"
            yield f"  {kind + ':':<9}{'yes' if fact.ok else 'no'}{detail} ({seen_ago})"
    if session and not seen.stale and session.logins:
        yield f"  {'logins:':<9}{_logins(session.logins, now)}"
    yield f"  {'gateway:':<9}{_gateway(seen.gateway, now)}"
    yield f"  {'port:':<9}{_api(seen.api)}"
    for client in seen.api.clients if seen.api else ():
        traffic = f"{size(client.received)} in, {size(client.sent)} out"
        yield f"           {client.address} for {span(now - client.since)}, {traffic}"
    yield f"  {'screen:':<9}{_vnc(seen.vnc)}"
    for warning in (*(session.warnings if session else ()), *seen.unreadable):
        yield f"  warning: {warning}"
    for pending in session.pending if session else ():
        yield f"  waits for a restart: {pending}"


def _logins(logins: LoginsLeft, now: float) -> str:
    more = f", one more at {clock(logins.more_at, now)}" if logins.more_at is not None else ""
    return f"{logins.left} of {logins.budget} left in 24 h{more}"


def _gateway(gateway: Gateway | None, now: float) -> str:
    if gateway is None:
        return "no word from ibga-gateway"
    version = gateway.running_version or gateway.installed_version
    parts = [f"{gateway.state} {version}".strip()]
    if gateway.progress is not None:
        parts.append(f"{gateway.progress} %")
    if gateway.pid is not None:
        alive = Path(f"/proc/{gateway.pid}").exists()
        parts.append(f"pid {gateway.pid}" + ("" if alive else " (gone)"))
    parts.append(f"for {span(now - gateway.since)}")
    if gateway.restarts:
        parts.append(f"{gateway.restarts} restart{'s' if gateway.restarts > 1 else ''}")
    if gateway.reason:
        parts.append(gateway.reason)
    if gateway.last_exit is not None:
        parts.append(f"last ended {moment(gateway.last_exit.time)}: {gateway.last_exit.cause}")
    return ", ".join(parts)


def _api(api: Api | None) -> str:
    if api is None:
        return "no word from ibga-api"
    if not api.listening:
        return f"{api.address} refuses: {api.reason}"
    return f"listening on {api.address}, {len(api.clients)} client{'' if len(api.clients) == 1 else 's'}"


def _vnc(vnc: Vnc | None) -> str:
    if vnc is None:
        return "no word from ibga-vnc"
    password = "with password" if vnc.password else "no password"
    viewers = f"{vnc.clients} viewer{'' if vnc.clients == 1 else 's'}"
    return f"{'https' if vnc.tls else 'http'}://{vnc.page}/ ({password}), {viewers}"


def span(seconds: float) -> str:
    """A length of time with its two largest units: "3 s", "2 min 5 s", "3 h 12 min", "4 d 1 h"."""
    left = int(max(0.0, seconds))
    for unit, length, smaller, smaller_length in (
        ("d", 86400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if left >= length:
            rest = left % length // smaller_length
            return f"{left // length} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{left} s"


def moment(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(when))


def clock(when: float, now: float) -> str:
    """The time of day, with the date where it is not of these 12 hours."""
    return time.strftime("%H:%M:%S" if abs(when - now) < 43200 else "%d %b %H:%M:%S", time.localtime(when))


def size(count: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"
