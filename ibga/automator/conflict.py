"""Another session of the same user, and lost ones (guide 2.8, 4.3 D-EXISTING, D-RELOGIN, D-HANDOFF)."""

from ibga.agent.report import Component, Window, fold
from ibga.automator.decision import Decision
from ibga.automator.session import RELOGIN, Now, Session, Sight
from ibga.automator.steps import Answered, Click, Wait
from ibga.config import Config
from ibga.config.settings import ExistingSession
from ibga.runtime import State

#: Of one gateway process. Two sessions that insist would throw each other out for ever (guide 2.8).
MAX_TAKEOVERS = 3
_RELOGIN = ("Re-login",)
_TAKE_OVER = ("Continue Login", "Reconnect This Session", "Disconnect Other Session")


def decide_conflict(window: Window, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """By the buttons, since all these windows are of one package (guide 4.3)."""
    relogin = _button(window, _RELOGIN)
    take_over = config.login.existing_session is ExistingSession.TAKE_OVER
    if relogin is not None and (take_over or not session.logged_in or session.reconnecting):
        return _relogin(window, relogin, session, sight, now)
    # To log in again throws the other session out, if that is what it was lost to (guide 2.8).
    if not take_over or session.takeovers >= MAX_TAKEOVERS:
        return Decision(
            state=State.DISPLACED if session.logged_in else State.NEEDS_PERSON,
            reason="another session of this user is active",
            person="choose on the gateway's screen which session shall go on",
        )
    # The OK of old builds means that only under this title; elsewhere it may cancel a login.
    captions = (*_TAKE_OVER, "OK") if "existing session" in fold(window.title) else _TAKE_OVER
    button = _button(window, captions)
    return Decision(
        state=State.DISPLACED if session.logged_in else State.LOADING,
        reason="taking over from another session",
        step=Wait()
        if button is None
        else Click(
            name="take the session over",
            window=window.id,
            component=button.id,
            effect=Answered(window.id),
        ),
    )


def _relogin(window: Window, button: Component, session: Session, sight: Sight, now: Now) -> Decision:
    """IB counts it as a login, so do we."""
    if sight.block is not None:
        return Decision(
            state=State.NEEDS_PERSON,
            reason=sight.block.reason,
            person=sight.block.person,
            deadline=sight.block.until,
        )
    waits = now.mono < session.not_before
    return Decision(
        state=State.RECONNECTING,
        reason="the connection was lost",
        step=Wait(session.not_before)
        if waits
        else Click(
            name=RELOGIN,
            window=window.id,
            component=button.id,
            effect=Answered(window.id),
            login_attempt=True,
        ),
    )


def _button(window: Window, captions: tuple[str, ...]) -> Component | None:
    for caption in captions:
        found = [each for each in window.find_all("JButton") if fold(each.text) == fold(caption)]
        if len(found) == 1 and found[0].enabled:
            return found[0]
    return None
