"""Other sessions of the same user, and lost ones (guide 2.8, 4.3 D-EXISTING, D-RELOGIN, D-HANDOFF).

Whoever logs in last has the session, and the one before is told. So two programs that insist throw each
other out for ever; what is done about that rests on `displaced_since` and `takeovers` of the session.
"""

from dataclasses import replace
from math import inf, isfinite

from ibga.agent.report import Component, Window, fold
from ibga.automator import resets
from ibga.automator.decision import Decision
from ibga.automator.session import (
    GIVE_WAY,
    RELOGIN,
    RELOGIN_ROW,
    TAKE_OVER,
    TAKEOVER_SPAN,
    Now,
    Session,
    Sight,
    is_lost,
    recent_takeovers,
)
from ibga.automator.steps import Answered, Click, Wait
from ibga.config import Config
from ibga.config.settings import ExistingSession
from ibga.runtime import State

#: s before the 1st, 2nd, ... time in an hour that another session is thrown out. The first two are a start
#: that meets one, and its program's one try to come back; what comes then is another one that insists. After
#: the last a person has to say which of the two shall be.
PAUSES = (0.0, 0.0, 60.0, 120.0, 240.0, 480.0)
BUTTON_TIMEOUT = 10.0  # s for a known button to be there; a tree may be incomplete at first (guide 11.1)
_RELOGIN = ("Re-login",)
_TAKE_OVER = ("Continue Login", "Reconnect This Session", "Disconnect Other Session")
#: Not "Exit Application" of old builds: it ends the process, which the gateway service takes for a failure
#: and starts another for nothing. Cancel leads back to the form. Should it end the process in some build, no
#: harm: that we stand back is on disk before the press, so the next process does not log in either.
_GIVE_WAY = ("Cancel",)


def decide_conflict(window: Window, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """By the buttons, since all these windows are of one package (guide 4.3)."""
    relogin = _button(window, _RELOGIN)
    if relogin is not None and (is_lost(session, sight) or not session.logged_in):
        return _relogin(window, relogin, session, sight, config, now)
    until = taken_at(session, config, now)
    if until <= now.unix:
        return _take(window, session, sight, config, now)
    decision = _stand_back(session, config, until, now)
    return decision if session.logged_in else _give_way(decision, window, session, config)


def decide_held(session: Session, config: Config, now: Now) -> Decision | None:
    """Return that no login is tried for now, though no window says so: another session has it."""
    if session.displaced_since is None:
        return None
    until = taken_at(session, config, now)
    if until > now.unix:
        return _stand_back(session, config, until, now)
    if not session.logged_in:
        return None
    # The question closes and comes back by itself (guide 4.3); between the two nothing is known.
    return Decision(state=State.DISPLACED, reason="another session of this user is active")


def taken_at(session: Session, config: Config, now: Now) -> float:
    """Return from when (Unix time) another session is thrown out; infinity: not before a person says so."""
    if session.insist:
        return 0.0
    since, later = session.displaced_since, config.login.take_back_after
    match config.login.existing_session:
        case ExistingSession.TAKE_OVER:
            at = 0.0 if since is None else since + (later or 0.0)
        case ExistingSession.YIELD:
            at = inf if since is None or later is None else since + later
        case ExistingSession.ASK:
            return inf
    return max(at, _pause_end(session, now))


def _pause_end(session: Session, now: Now) -> float:
    recent = recent_takeovers(session, now)
    if not recent:
        return 0.0
    if len(recent) >= len(PAUSES):
        return recent[0] + TAKEOVER_SPAN
    return recent[-1] + PAUSES[len(recent)]


def _stand_back(session: Session, config: Config, until: float, now: Now) -> Decision:
    """Nothing is pressed; what for, until when, and what a person may do about it."""
    policy = config.login.existing_session
    insisting = policy is not ExistingSession.ASK and len(recent_takeovers(session, now)) >= len(PAUSES)
    asks = insisting or (policy is ExistingSession.ASK and not session.logged_in)
    if insisting:
        reason = f"another session of this user came back {len(PAUSES)} times within an hour"
        person = "end one of the two for good; `ibga login` takes this one back at once"
    elif isfinite(until):
        reason, person = "another session of this user is active; this one is taken back later", ""
    else:
        reason = "another session of this user is active"
        person = "end the other session, then: ibga login; or choose on the gateway's screen"
    return Decision(
        state=State.NEEDS_PERSON if asks else State.DISPLACED,
        reason=reason,
        person=person,
        deadline=until if isfinite(until) else None,
        step=Wait(now.mono + until - now.unix) if isfinite(until) else Wait(),
    )


def _give_way(decision: Decision, window: Window, session: Session, config: Config) -> Decision:
    """Under yield a login is called off; but only one that is ours, and that is known to be under way."""
    if config.login.existing_session is not ExistingSession.YIELD or session.submitted is None:
        return decision
    button = _button(window, _GIVE_WAY)
    if button is None:
        return Decision(
            state=State.NEEDS_PERSON,
            reason="another session of this user is active",
            person="choose on the gateway's screen which session shall go on",
            deadline=decision.deadline,
            step=decision.step,
        )
    return Decision(
        state=State.DISPLACED,
        reason="another session of this user is active, the login is called off",
        step=Click(name=GIVE_WAY, window=window.id, component=button.id, effect=Answered(window.id)),
    )


def _take(window: Window, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Of a session that was logged in, IB counts it as a login; at a login of ours it is part of that one."""
    relogin = _button(window, _RELOGIN)
    if relogin is not None:
        return _relogin(window, relogin, session, sight, config, now)
    # The OK of old builds means that only under this title; elsewhere it may cancel a login.
    captions = (*_TAKE_OVER, "OK") if "existing session" in fold(window.title) else _TAKE_OVER
    button = _button(window, captions)
    if button is None:
        return _without_button(window, session, now)
    attempt = session.logged_in or session.submitted is None
    if attempt and sight.block is not None:
        return _blocked(sight, State.DISPLACED)
    return Decision(
        state=State.DISPLACED if session.logged_in else State.LOADING,
        reason="taking over from another session",
        step=Click(
            name=TAKE_OVER,
            window=window.id,
            component=button.id,
            effect=Answered(window.id),
            login_attempt=attempt,
        ),
    )


def _without_button(window: Window, session: Session, now: Now) -> Decision:
    state = State.DISPLACED if session.logged_in else State.LOADING
    shown = session.shown.get(window.id)
    until = (shown.since if shown is not None else now.mono) + BUTTON_TIMEOUT
    if now.mono < until:
        return Decision(state=state, reason="another session of this user is active", step=Wait(until))
    return Decision(
        state=State.NEEDS_PERSON,
        reason=f"the dialog {window.title!r} has no button that is known",
        person="choose on the gateway's screen which session shall go on",
    )


def _relogin(
    window: Window, button: Component, session: Session, sight: Sight, config: Config, now: Now
) -> Decision:
    """IB counts it as a login, so do we: the ledger is asked, and a second one of a row comes later."""
    state = State.RECONNECTING if session.displaced_since is None else State.DISPLACED
    if sight.block is not None:
        return _blocked(sight, state)
    waiting = Decision(state=state, reason="the connection was lost")
    until = now.unix + max(0.0, session.not_before - now.mono)
    in_a_row = session.relogins and now.mono < session.relogged + RELOGIN_ROW
    if in_a_row and not session.insist:
        until = resets.over_at(until, resets.region_of(config)) or until
    if until > now.unix:
        return replace(waiting, deadline=until, step=Wait(now.mono + until - now.unix))
    return replace(
        waiting,
        step=Click(
            name=RELOGIN,
            window=window.id,
            component=button.id,
            effect=Answered(window.id),
            login_attempt=True,
        ),
    )


def _blocked(sight: Sight, state: State) -> Decision:
    assert sight.block is not None
    return Decision(
        state=State.NEEDS_PERSON if sight.block.person else state,
        reason=sight.block.reason,
        person=sight.block.person,
        deadline=sight.block.until,
    )


def _button(window: Window, captions: tuple[str, ...]) -> Component | None:
    for caption in captions:
        found = [each for each in window.find_all("JButton") if _caption(each) == fold(caption)]
        if len(found) == 1 and found[0].enabled:
            return found[0]
    return None


def _caption(button: Component) -> str:
    """Without a final dot or arrow, which come and go (guide 4.4, 6.5)."""
    return fold(button.text).rstrip(" .>›")
