"""Records of a session for tests, written as the automator writes them."""

import time
from pathlib import Path

from ibga.runtime import Fact, Facts, Session, State, publish


def session(
    state: State,
    *,
    reason: str = "as the test says",
    api_ok: bool = True,
    api_port: int | None = None,
    valid_for: float = 30.0,
    age: float = 0.0,
    person: str = "",
    deadline: float | None = None,
    warnings: tuple[str, ...] = (),
    pending: tuple[str, ...] = (),
) -> Session:
    """A record of *state*, *age* seconds old, all facts true (but api with *api_ok* false)."""
    now = time.time() - age
    yes = Fact(ok=True, time=now)
    return Session(
        state=state,
        since=now - 60,
        time=now,
        reason=reason,
        facts=Facts(process=yes, ui=yes, api=Fact(ok=api_ok, time=now), farms=yes),
        deadline=deadline,
        person=person,
        valid_for=valid_for,
        api_port=api_port,
        warnings=warnings,
        pending=pending,
    )


def publish_session(runtime_dir: Path, record: Session) -> None:
    publish(runtime_dir / "session.json", record)
