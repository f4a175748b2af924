"""Dialogs: the rule book answers some, people others; what nothing knows is kept and left alone."""

from ibga.agent.report import Report, Window
from ibga.automator import conflict, rules, second_factor
from ibga.automator.decision import Decision
from ibga.automator.evidence import kind_of
from ibga.automator.rules import Rule
from ibga.automator.session import Now, Session, Sight, is_ending
from ibga.automator.steps import Answered, Click, CloseWindow, Deed, SaveEvidence, Selected, Wait
from ibga.config import Config
from ibga.runtime import State

UNKNOWN_TIMEOUT = 3.0  # s: a tree is incomplete while a window opens (guide 11.1)
INCOMPLETE_TIMEOUT = 10.0  # s for the button of a known dialog to be there and enabled


def decide_dialogs(session: Session, sight: Sight, config: Config, now: Now) -> Decision | None:
    """Return what the topmost dialog wants, or None where nothing stands in the way of other work."""
    assert sight.report is not None
    waits: list[float] = []
    for window in newest_first(sight.view.dialogs, session):
        if blocker(sight.report, window, session) is not None or window is sight.view.settings:
            continue
        decision = _decide_one(window, session, sight, config, now)
        if isinstance(decision, Decision):
            return decision
        if decision is not None:
            waits.append(decision)
    # Nothing to do for them now, but one of them may lie over everything else.
    return _covered(session, sight, min(waits, default=None))


def _decide_one(
    window: Window, session: Session, sight: Sight, config: Config, now: Now
) -> Decision | float | None:
    """Return a decision, or the time when to look again, or None when the window is to be left alone."""
    if window is sight.view.second_factor:
        return second_factor.decide_second_factor(window, session, sight, config, now)
    if window is sight.view.conflict:
        return conflict.decide_conflict(window, session, sight, config, now)
    rule = rules.find(sight.rules, window, session.state, config, asked=is_ending(session, sight))
    if rule is None:
        return _unknown(window, session, now, UNKNOWN_TIMEOUT)
    if rule.ignore:
        return None
    if rule.person:
        return _for_person(rule, window) if window.modal else None  # else `waiting_for_person` tells
    step = answer(rule, window)
    if step is None:
        return _unknown(window, session, now, INCOMPLETE_TIMEOUT)
    return Decision(state=_state(session), reason=f"answering the dialog {rule.name}", step=step)


def answer(rule: Rule, window: Window) -> Deed | None:
    """Return the deed that *rule* asks for, None while what is to be pressed is not there."""
    if rule.close:
        return CloseWindow(name=f"close {rule.name}", window=window.id, effect=Answered(window.id))
    target = rules.target(rule, window)
    if target is None:
        return None
    if target.is_a("JCheckBox"):
        return Click(
            name=f"tick {rule.name}", window=window.id, component=target.id, effect=Selected(target.id)
        )
    return Click(
        name=f"answer {rule.name}", window=window.id, component=target.id, effect=Answered(window.id)
    )


def blocker(report: Report, window: Window, session: Session) -> Window | None:
    """Return the modal dialog that keeps input from *window*: only the top one accepts it (guide 11.2)."""
    if window.active:
        return None
    for other in report.windows:
        if other.modal and other.id != window.id and not _belongs(report, window, other):
            earlier = window.modal and (_came(session, other), other.id) < (_came(session, window), window.id)
            if not earlier:
                return other
    return None


def newest_first(windows: tuple[Window, ...], session: Session) -> list[Window]:
    return sorted(windows, key=lambda each: (_came(session, each), each.id), reverse=True)


def waiting_for_person(session: Session, sight: Sight, config: Config) -> str:
    """Return what a person should do about dialogs that block nothing, or ""."""
    for window in sight.view.others:
        rule = rules.find(sight.rules, window, session.state, config, asked=is_ending(session, sight))
        if rule is not None and rule.person:
            return rule.person
    return ""


def _came(session: Session, window: Window) -> float:
    shown = session.shown.get(window.id)
    return shown.came if shown is not None else 0.0


def _belongs(report: Report, window: Window, owner: Window) -> bool:
    at: Window | None = window
    for _ in report.windows:
        at = report.window(at.owner) if at is not None and at.owner is not None else None
        if at is None:
            return False
        if at.id == owner.id:
            return True
    return False


def _covered(session: Session, sight: Sight, until: float | None) -> Decision | None:
    """Return a wait when a modal dialog keeps input from the window that we would work in next."""
    assert sight.report is not None
    below = sight.view.settings or sight.view.main or sight.view.login
    if below is None:
        return None
    over = blocker(sight.report, below, session)
    if over is None or over is sight.view.settings:
        return None
    return Decision(state=_state(session), reason=f"the dialog {over.title!r} is open", step=Wait(until))


def _unknown(window: Window, session: Session, now: Now, patience: float) -> Decision | float | None:
    since = session.shown[window.id].since if window.id in session.shown else now.mono
    if now.mono < since + patience:
        return since + patience
    folder = session.evidence.get(kind_of(window))
    if folder is None:
        return Decision(
            state=_state(session),
            reason=f"unknown dialog {window.title!r}",
            step=SaveEvidence(window=window.id),
        )
    if not window.modal:
        return None
    return Decision(
        state=State.NEEDS_PERSON,
        reason=f"no rule knows the dialog {window.title!r}",
        person=f"answer it on the screen, and write a rule from what is saved in {folder}",
    )


def _for_person(rule: Rule, window: Window) -> Decision:
    words = " ".join(rules.texts(window))[:200]
    return Decision(
        state=State.NEEDS_PERSON,
        reason=f"the dialog {window.title!r} waits for a person: {words!r}"
        if words
        else f"the dialog {window.title!r} waits for a person",
        person=rule.person,
    )


def _state(session: Session) -> State:
    """A dialog that is dealt with does not change where the session stands."""
    if session.state in (State.LOGIN, State.LOADING, State.CONFIGURING, State.READY, State.RECONNECTING):
        return session.state
    return State.LOADING if session.logged_in or session.submitted is not None else State.LOGIN
