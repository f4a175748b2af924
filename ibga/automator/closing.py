"""Close the gateway on request, through File > Close (guide 2.5): a clean logout."""

from ibga.automator import dialogs, rules, settings
from ibga.automator.decision import Decision
from ibga.automator.session import Now, Session, Sight
from ibga.automator.steps import Menu, Reply, Step, Wait, WindowCame
from ibga.config import Config
from ibga.runtime import State

TIMEOUT = 15.0  # s for all of it; the one who asked has other ways, and waits no longer than 20
CHOSEN_TIMEOUT = 8.0  # s from File > Close to any sign of the end


def decide_closing(session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    return Decision(
        state=State.STOPPED,
        reason="logging out through File > Close",
        step=_step(session, sight, config, now),
    )


def _step(session: Session, sight: Sight, config: Config, now: Now) -> Step:
    """Nothing is pressed but what leads out. What a dialog has to say first is left to the one who asked."""
    assert sight.report is not None
    view = sight.view
    if session.shutting_down:
        return Reply(ok=True, detail="the gateway shuts down")
    if session.close_chosen is not None and view.main is None:
        return Reply(ok=True, detail="the main window has gone")
    if view.main is None or not session.logged_in or view.login is not None:
        return Reply(ok=False, detail="there is no session to log out of")
    if now.mono - session.close_since > TIMEOUT:
        return Reply(ok=False, detail=f"File > Close had no effect within {TIMEOUT:.0f} s")
    over = dialogs.blocker(sight.report, view.main, session)
    if over is not None:
        for window in dialogs.newest_first(view.dialogs, session):
            if dialogs.blocker(sight.report, window, session) is None:
                if window is view.settings:
                    return settings.discard(window)
                rule = rules.find(sight.rules, window, session.state, config, asked=True)
                deed = dialogs.answer(rule, window) if rule is not None else None
                if deed is not None:
                    return deed
        if now.mono - session.shown[over.id].since < 0.2:
            return Wait(session.shown[over.id].since + 0.2)  # it may be incomplete (guide 11.1)
        return Reply(ok=False, detail=f"the dialog {over.title!r} is open")
    if view.settings is not None:
        return settings.discard(view.settings)
    if session.close_chosen is not None:
        if now.mono - session.close_chosen > CHOSEN_TIMEOUT:
            return Reply(ok=False, detail="File > Close had no effect")
        return Wait(session.close_chosen + CHOSEN_TIMEOUT)
    return Menu(
        name="close the gateway",
        window=view.main.id,
        path=("File", "Close"),
        effect=WindowCame(),
        effect_timeout=3.0,
    )
