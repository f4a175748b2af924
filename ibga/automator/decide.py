"""The decision: from what is seen and what is known to the next step. Pure; one look at everything.

The order is the order of precedence: a dead process before a frozen one, requests before dialogs,
dialogs before the windows below them.
"""

import dataclasses

from ibga.agent.report import Window
from ibga.automator import closing, conflict, dialogs, fix, login, rules, second_factor, settings
from ibga.automator.decision import Decision
from ibga.automator.main_window import connected, connections
from ibga.automator.session import Now, Session, Sight, Try, is_ending
from ibga.automator.steps import (
    Choose,
    ChoosePath,
    Click,
    CloseWindow,
    Menu,
    ProbeApi,
    Reply,
    Type,
    TypeCode,
    Wait,
)
from ibga.config import Config
from ibga.config.settings import Mode
from ibga.runtime import Fact, Facts, GatewayState, State

FROZEN_AFTER = 15.0  # s without a turn of the event queue; 10 s happen (guide 11.3)
WINDOW_TIMEOUT = 120.0  # s from process to first window (guide 2.4)
LOGIN_TIMEOUT = 900.0  # s for a whole login (guide 2.4)
#: s without a window coming or going before the menus are used (guide 2.3: 1 to 3 s after a second factor).
SETTLE = 1.5
SETTLE_AFTER_WARNING = 0.3  # the paper warning is the last of a paper login
SETTLE_PAPER = 4.0  # where the warning may be still to come
API_EVIDENCE = 60.0  # s that a sign of life from the API is good for
API_RETRY = 1.0  # s between handshakes until one works
API_TIMEOUT = 60.0  # s until a port that does not answer is a failure
INFORMATIONAL = 30.0  # s that a known dialog may show without clearing the ui fact
CUT_TIMEOUT = 5.0  # s of reports that are cut short; one may be, on a busy machine
PAUSES = (0.2, 1.0, 3.0, 10.0, 30.0, 60.0)  # s after the 1st, 2nd, ... time that a step had no effect
ALARM = 3  # times without effect after which a person is told

_DEEDS = (Click, Type, TypeCode, Choose, ChoosePath, Menu, CloseWindow)


def decide(session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Return where the session stands and the next step."""
    sight = dataclasses.replace(sight, view=fix.understood(sight.view, config))
    decision = _decide(session, sight, config, now)
    # Here, where all ways to a login meet.
    decision = second_factor.gate(decision, session, sight, config, now)
    decision = _honest(decision, session, sight, config, now)
    decision = _overdue(decision, session, sight, now)
    decision = _with_notices(decision, session, sight, config)
    if isinstance(decision.step, _DEEDS) and decision.step.name in session.tries:
        return _paced(decision, session.tries[decision.step.name], now)
    return decision


def _honest(decision: Decision, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Take back a "ready" that what is seen does not bear out, as while a dialog will not go."""
    if decision.state is not State.READY or (sight.report is not None and sight.report.truncated):
        return decision
    seen = facts(session, sight, config, now)
    for fact in (seen.process, seen.ui, seen.api):
        if not fact.ok:
            return dataclasses.replace(
                decision, state=State.NEEDS_PERSON, reason=fact.detail, person="look at the gateway's screen"
            )
    return decision


def _overdue(decision: Decision, session: Session, sight: Sight, now: Now) -> Decision:
    """A login at which nothing moves fails closed, whatever it waits for; where a deadline is told, later."""
    since = max(session.pid_since, session.quiet_since, session.submitted or 0.0, session.not_before)
    waits = isinstance(decision.step, Wait) and decision.deadline is None and not decision.person
    if (
        sight.report is None
        or not waits
        or decision.state not in (State.LOGIN, State.LOADING, State.CONFIGURING)
        or now.mono - since <= LOGIN_TIMEOUT
    ):
        return decision
    return dataclasses.replace(
        decision,
        state=State.FAILED,
        reason=f"nothing has moved for {LOGIN_TIMEOUT / 60:.0f} min: {decision.reason}",
        person="look at the gateway's screen",
        step=Wait(),
    )


def _with_notices(decision: Decision, session: Session, sight: Sight, config: Config) -> Decision:
    """Tell of the dialogs that wait for a person and block nothing; what fails beside one fails for it."""
    if decision.person and decision.state is not State.FAILED:
        return decision
    person = dialogs.waiting_for_person(session, sight, config)
    if not person:
        return decision
    state = State.NEEDS_PERSON if decision.state is State.FAILED else decision.state
    return dataclasses.replace(decision, state=state, person=person)


def _paced(decision: Decision, tried: Try, now: Now) -> Decision:
    """Try again what had no effect, less and less often, and say so."""
    step = decision.step
    assert isinstance(step, _DEEDS)
    again = tried.last + PAUSES[min(tried.count, len(PAUSES)) - 1]
    if tried.count >= ALARM:
        decision = dataclasses.replace(
            decision,
            state=State.NEEDS_PERSON,
            reason=f"no effect, {tried.count} times: {step.name}",
            person="look at the gateway's screen",
        )
    return decision if now.mono >= again else dataclasses.replace(decision, step=Wait(again))


def _decide(session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    if session.to_record is not None:  # first of all: it is not to be lost with the process that said it
        return Decision(state=session.state, reason="writing the login ledger", step=session.to_record)
    if session.close_request is not None and not sight.alive:
        reply = Reply(ok=True, detail="the gateway has ended")
        return dataclasses.replace(_without_process(sight), step=reply)
    if not sight.alive or sight.gateway is None:
        return _without_process(sight)
    if sight.silent > FROZEN_AFTER:
        return Decision(
            state=State.FROZEN, reason=f"the gateway's event queue has stood still for {sight.silent:.0f} s"
        )
    if sight.report is None:
        return _awaited(session, "the gateway starts, its first window is awaited", now)
    if sight.report.truncated:
        return _cut_off(session, now)
    if session.closed or (session.shutting_down and session.close_request is None):
        return _ending(sight)
    if session.close_request is not None:
        return closing.decide_closing(session, sight, config, now)
    if sight.gateway.state is GatewayState.STOPPING:
        return _while_stopping(session, sight, config)
    return _running(session, sight, config, now)


def _cut_off(session: Session, now: Now) -> Decision:
    """A report that the agent had to cut short says nothing of what is missing in it."""
    if session.cut_since is None or now.mono - session.cut_since < CUT_TIMEOUT:
        return Decision(
            state=session.state, reason="the gateway's windows were not all reported", step=Wait()
        )
    return Decision(
        state=State.NEEDS_PERSON,
        reason="the gateway shows more than the agent can report",
        person="close what is not needed on the gateway's screen",
    )


def _without_process(sight: Sight) -> Decision:
    gateway = sight.gateway
    if gateway is None:
        return Decision(state=State.STOPPED, reason="the gateway service does not run")
    state = {
        GatewayState.INSTALLING: State.INSTALLING,
        GatewayState.STARTING: State.STARTING,
        GatewayState.RUNNING: State.STARTING,  # its process has just ended, or is not published yet
        GatewayState.RESTARTING: State.RESTARTING,
        GatewayState.STOPPING: State.STOPPED,
        GatewayState.STOPPED: State.STOPPED,
        GatewayState.FAILED: State.FAILED,
    }[gateway.state]
    return Decision(state=state, reason=gateway.reason, deadline=gateway.until)


def _ending(sight: Sight) -> Decision:
    assert sight.gateway is not None
    if sight.gateway.state is GatewayState.STOPPING:
        return Decision(state=State.STOPPED, reason="the gateway is shutting down")
    return Decision(state=State.RESTARTING, reason="the gateway is shutting down")


def _while_stopping(session: Session, sight: Sight, config: Config) -> Decision:
    """The gateway service ends it in its own ways; we only confirm the question that comes of it."""
    assert sight.report is not None
    decision = Decision(state=State.STOPPED, reason="the gateway is being stopped")
    for window in sight.view.others:
        rule = rules.find(sight.rules, window, session.state, config, asked=True)
        if rule is not None and rule.asked and dialogs.blocker(sight.report, window, session) is None:
            deed = dialogs.answer(rule, window)
            if deed is not None:
                return dataclasses.replace(decision, step=deed)
    return decision


def _running(session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    view = sight.view
    decision = dialogs.decide_dialogs(session, sight, config, now)
    if decision is not None:
        return decision
    if view.progress is not None:
        return _progress(session, now)
    held = conflict.decide_held(session, config, now)
    if held is not None:
        return held
    if view.login is not None and not session.logged_in:
        return login.decide_login(view.login, session, sight, config, now)
    if view.main is not None:
        if session.logged_in:
            return _logged_in(session, sight, config, now)
        return Decision(
            state=State.LOADING,
            reason="the main window shows, the login may not be complete",
            step=Wait(now.mono + 0.5),
        )
    if session.submitted is not None or session.logged_in:
        return Decision(state=State.LOADING, reason="logged in, the main window is awaited")
    return _awaited(session, "the gateway runs, its login form is awaited", now)


def _awaited(session: Session, reason: str, now: Now) -> Decision:
    """A process without a window it can be worked with fails closed (guide 2.4, appendix C)."""
    if now.mono - session.quiet_since > WINDOW_TIMEOUT:
        return Decision(
            state=State.FAILED,
            reason=f"no login form within {WINDOW_TIMEOUT:.0f} s",
            person="look at the screen",
        )
    return Decision(state=State.STARTING, reason=reason, step=Wait(session.quiet_since + WINDOW_TIMEOUT))


def _progress(session: Session, now: Now) -> Decision:
    """Never clicked; its title is the phase, and it comes back while reconnecting (guide 2.2)."""
    assert session.progress_since is not None
    if session.logged_in:
        if session.displaced_since is not None:
            return Decision(state=State.DISPLACED, reason=f"another session is active: {session.phase}")
        return Decision(state=State.RECONNECTING, reason=f"reconnecting: {session.phase}")
    if now.mono - session.progress_since > LOGIN_TIMEOUT:
        return Decision(
            state=State.FAILED,
            reason=f"the login has hung for {LOGIN_TIMEOUT / 60:.0f} min in {session.phase!r}",
            person="IB may be in its weekend reset; restart the gateway when it is over",
        )
    return Decision(
        state=State.LOADING,
        reason=f"{session.phase} (IB took no notice of it)" if session.dropped else session.phase,
        step=Wait(session.progress_since + LOGIN_TIMEOUT),
    )


def _logged_in(session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Settle, check the settings, ask the API: then the session is ready."""
    view = sight.view
    assert view.main is not None
    if fix.is_fix(config):
        return _fix_session(view.main, session, sight, config, now)
    if session.settings is None:
        settled = session.quiet_since + _settle(session, config)
        if view.settings is None and not session.settings_rounds and now.mono < settled:
            return Decision(
                state=State.LOADING, reason="logged in, waiting for the windows to settle", step=Wait(settled)
            )
        return settings.decide_settings(view.main, view.settings, session, config, now)
    return _asked(session, sight, config, now)


def _fix_session(main: Window, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """No settings can be read there, and no progress window comes back while IB's server is lost."""
    if fix.server_connected(main) is False:
        return Decision(state=State.RECONNECTING, reason="reconnecting: IB's server is disconnected")
    return _asked(session, sight, config, now)


def _asked(session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Ask the API, from time to time: as long as it answers the session is ready."""
    probe = _probe(session, sight, config, now)
    if session.api is None or not session.api.ok:
        return _without_api(session, probe, now)
    return Decision(state=State.READY, reason="ready", step=probe)


def api_port(session: Session, config: Config) -> int | None:
    """Return the port that the gateway listens on, as it was read back; None while that is not known."""
    if fix.is_fix(config):
        return config.api.internal_port if session.api is not None and session.api.ok else None
    return session.settings.port if session.settings is not None else None


def _settle(session: Session, config: Config) -> float:
    if session.paper_warned:
        return SETTLE_AFTER_WARNING
    return SETTLE_PAPER if config.account.mode is Mode.PAPER and session.phase else SETTLE


def _probe(session: Session, sight: Sight, config: Config, now: Now) -> ProbeApi | Wait:
    """Ask the API port when the last sign of life from it is too old; wait until then otherwise."""
    if sight.probing:
        return Wait()
    if session.api is None:
        return ProbeApi(port=config.api.internal_port)
    if session.api.ok:
        due = max(session.api.mono, sight.api_evidence or 0.0) + API_EVIDENCE
    else:
        due = session.api.mono + API_RETRY
    return ProbeApi(port=config.api.internal_port) if now.mono >= due else Wait(due)


def _without_api(session: Session, probe: ProbeApi | Wait, now: Now) -> Decision:
    if session.api is None:
        return Decision(state=State.CONFIGURING, reason="asking the API port", step=probe)
    failing = session.api_failures * API_RETRY
    state = State.FAILED if failing > API_TIMEOUT else State.CONFIGURING
    return Decision(state=state, reason=f"the API does not answer: {session.api.detail}", step=probe)


def facts(session: Session, sight: Sight, config: Config, now: Now) -> Facts:
    """The four facts, each from its own source."""
    pid = sight.gateway.pid if sight.gateway is not None else None
    api = session.api
    return Facts(
        process=Fact(
            ok=sight.alive,
            time=now.unix,
            detail=f"process {pid}" if sight.alive else "no process of the gateway",
        ),
        ui=_ui_fact(session, sight, config, now),
        api=Fact(ok=False, time=now.unix, detail="not asked yet")
        if api is None
        else Fact(ok=api.ok, time=api.unix, detail=api.detail),
        farms=_farms_fact(sight, now),
    )


def _ui_fact(session: Session, sight: Sight, config: Config, now: Now) -> Fact:
    def fact(ok: bool, detail: str) -> Fact:
        return Fact(ok=ok, time=now.unix, detail=detail)

    if sight.report is None or not sight.alive:
        return fact(False, "no report of the gateway's windows")
    if sight.silent > FROZEN_AFTER:
        return fact(False, "the event queue stands still")
    view = sight.view
    if view.main is None:
        return fact(False, "no main window")
    for window in (*view.others, view.second_factor, view.conflict):
        if window is None or not window.modal:
            continue
        rule = rules.find(sight.rules, window, session.state, config, asked=is_ending(session, sight))
        shown = session.shown.get(window.id)
        informational = rule is not None and (shown is None or now.mono - shown.since < INFORMATIONAL)
        if not informational:
            return fact(False, f"the dialog {window.title!r} is open")
    return fact(True, "main window")


def _farms_fact(sight: Sight, now: Now) -> Fact:
    if sight.view.main is None or not sight.alive:
        return Fact(ok=False, time=now.unix, detail="no main window")
    table = connections(sight.view.main)
    if not table:
        return Fact(ok=False, time=now.unix, detail="no connection table")
    return Fact(
        ok=all(connected(status) for status in table.values()),
        time=now.unix,
        detail=", ".join(f"{purpose}: {status}" for purpose, status in table.items()),
    )
