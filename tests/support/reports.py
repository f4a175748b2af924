"""Recorded reports (tests/data) and what is made of them, for tests of decisions."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ibga.agent.report import Report, parse_report
from ibga.automator import rulebook
from ibga.automator.decide import decide
from ibga.automator.decision import Decision
from ibga.automator.screens import recognise
from ibga.automator.session import Now, Session, Sight, observe
from ibga.config import Config
from ibga.config.settings import Account
from ibga.paths import Paths
from ibga.runtime import Gateway, GatewayState

DATA = Path(__file__).parents[1] / "data"
CONFIG = Config(paths=Paths("main", Path("/nowhere")), account=Account(username="tester", password="secret"))
RULES, _MISTAKES = rulebook.load(rulebook.BUILT_IN, Path("/nowhere"))
NOW = Now(1000.0, 1_800_000_000.0)
Json = dict[str, Any]


def recorded(name: str, *edits: Callable[[Json], None]) -> Report:
    """Return tests/data/NAME.json, changed by *edits*."""
    data = json.loads((DATA / f"{name}.json").read_text())
    for edit in edits:
        edit(data)
    return parse_report(json.dumps(data), name)


def components(node: Json) -> Iterator[Json]:
    for child in node.get("components", ()):
        yield child
        yield from components(child)


def each(report: Json, **wanted: object) -> Iterator[Json]:
    """The components of all windows that have these fields."""
    for window in report["windows"]:
        for component in components(window):
            if all(component.get(key) == value for key, value in wanted.items()):
                yield component


def change(where: Json, **values: object) -> Callable[[Json], None]:
    """Return an edit that gives all components that match *where* other values; one must match."""

    def edit(report: Json) -> None:
        found = list(each(report, **where))
        assert found, where
        for component in found:
            component.update(values)

    return edit


def sight(report: Report | None, state: GatewayState = GatewayState.RUNNING, **fields: Any) -> Sight:
    pid = report.pid if report is not None else 4711
    gateway = Gateway(state=state, reason="as the test says", since=0.0, pid=pid)
    base = Sight(gateway=gateway, alive=True, report=report, rules=RULES)
    if report is not None:
        base = replace(base, view=recognise(report))
    return replace(base, **fields)


def look(
    report: Report | None,
    *,
    session: Session | None = None,
    config: Config = CONFIG,
    now: Now = NOW,
    state: GatewayState = GatewayState.RUNNING,
    **fields: Any,
) -> tuple[Session, Decision]:
    """Return the session after one look at *report*, and the decision."""
    seen = sight(report, state, **fields)
    if session is None:
        session = Session(pid=seen.gateway.pid if seen.gateway else None, quiet_since=now.mono)
    session = observe(session, seen, config, now)
    return session, decide(session, seen, config, now)


def later(seconds: float) -> Now:
    return Now(NOW.mono + seconds, NOW.unix + seconds)
