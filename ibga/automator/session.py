"""What the automator knows beyond the present report: the history of one gateway process, as data.

`observe` folds what is seen into it, `after` what was done. Both are pure; the loop keeps the result.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ibga.agent.report import Report, Window, fold
from ibga.automator import fix, rules, steps
from ibga.automator.challenge import Kind, read_challenge
from ibga.automator.ledger import Outcome
from ibga.automator.prompts import Factor, Past, Phone
from ibga.automator.rules import Event, Rule
from ibga.automator.screens import View
from ibga.config import Config
from ibga.config.settings import ExistingSession
from ibga.runtime import Gateway, GatewayState, State

BACK_OFF = (60.0, 120.0, 240.0, 480.0, 600.0)  # s after the 1st, 2nd, ... failed login (guide 2.8)
DROPPED_PAUSE = 600.0  # s after a login that IB took no notice of: mostly it limits the rate (guide 2.8)
DROPPED_WORDS = "launcher.log: IB took no notice of the login"
EXPIRED_PAUSE = 1.0  # s before the full login that follows a void token
ANSWER_TIMEOUT = 30.0  # s from the press to any sign of life; then IB has dropped the request (guide 3.5)
FELL_BACK_TIMEOUT = 3.0  # s with a usable form after the progress frame has gone
ADOPT_SETTLE = 1.5  # s of a main window and nothing else
RECONNECTED = 60.0  # s of a main window and nothing else after the progress frame
RELOGIN = "log in again"  # names of steps
TAKE_OVER = "take the session over"
GIVE_WAY = "give way to the other session"
SEND_CODE = "send the code"
CHANGE_DEVICE = "change the security device"
CHOOSE_DEVICE = "choose the second factor's device"
CONFIRM_DEVICE = "confirm the second factor's device"
AUTHENTICATE = "authenticate with a passkey"
TAKEOVER_SPAN = 3600.0  # s that a session which was thrown out is remembered
FACTOR_LIMIT = 180.0  # s, IB's own, for a second factor (guide 2.4)
FACTOR_LIKELY_OVER = 110.0  # s after which one that has gone has run out: some say that IB waits for 2 min
FACTOR_GAP = 15.0  # s between two of its windows (guide 4.4: from the list to the form)
KICK_TIMEOUT = 15.0  # s from another device's form to the end of a login that IB throws out for it
RELOGIN_ROW = 3600.0  # s after which another one is the first of a row
CLOSE_TIMEOUT = 60.0  # s for a process to end that was seen to shut down
_LAST_PHASE = "starting application"
_KICKED = "the login ended when the second factor's device was changed"
#: Phases that come only after the second factor (guide 2.1).
_PAST_FACTOR = re.compile(r"initializing|starting")
_TOO_MANY = re.compile(r"please wait(?: (\d{1,6}) minutes?)?(?:[ &]+)?(?:(\d{1,6}) seconds?)?", re.IGNORECASE)
_TOO_MANY_MARGIN = 3.0  # s (guide 4.3)


@dataclass(frozen=True, slots=True)
class Now:
    """Two clocks: ages and waits go by the one that no one sets, people and the ledger by the other."""

    mono: float
    unix: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginBlock:
    """Why the ledger allows no login; *until* is Unix time, *person* what somebody should do, if anything."""

    reason: str
    person: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAnswer:
    """What the last handshake brought."""

    ok: bool
    mono: float
    unix: float
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswer:
    """Where second_factor.code_command stands; the code itself is nowhere in here."""

    running: bool = False
    ready: bool = False  # a code is there, and was not typed yet
    failures: int = 0  # in a row
    error: str = ""
    mono: float = 0.0  # since when


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Everything that is seen at one moment."""

    gateway: Gateway | None = None
    alive: bool = False  # the process of gateway.json runs
    report: Report | None = None  # only one of that process
    view: View = field(default_factory=View)
    silent: float = 0.0  # s since the event queue turned over
    rules: tuple[Rule, ...] = ()
    block: LoginBlock | None = None
    probing: bool = False  # an API handshake is under way
    api_evidence: float | None = None  # monotonic time of the last byte that IBG sent to a client
    dropped: bool = False  # launcher.log: IB took no notice of the login that is under way (guide 1.11)
    kicked: bool = False  # launcher.log: another session has taken over since the last login (guide 1.11)
    past: Past = field(default_factory=Past)  # of second factors
    past_error: str = ""  # why that is not known
    phone: Phone = field(default_factory=Phone)
    command: CommandAnswer | None = None  # None: not asked


@dataclass(frozen=True, slots=True)
class Shown:
    """Since when a window shows what it shows."""

    fingerprint: tuple[object, ...]
    since: float  # monotonic
    came: float  # since when the window shows at all


@dataclass(frozen=True, slots=True)
class Try:
    """How often a step had no effect in a row, and when last."""

    count: int
    last: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The history that decisions rest on. Times are monotonic unless they say otherwise."""

    pid: int | None = None
    pid_since: float = 0.0
    state: State = State.STARTING  # the last decision's, for rules with `when`
    shown: Mapping[int, Shown] = field(default_factory=lambda: MappingProxyType({}))
    quiet_since: float = 0.0  # no window came or went since
    phase: str = ""  # last title of the progress frame
    progress_since: float | None = None
    reconnecting: bool = False  # the progress frame came back: a network's loss, not another session's win
    logged_in: bool = False
    login_form_shown: bool = False  # ever, by this process
    paper_warned: bool = False
    shutting_down: bool = False
    cut_since: float | None = None  # reports have been incomplete since
    # login
    submitted: float | None = None
    # Other sessions of the same user, in Unix time: it outlives the gateway's process and our own.
    displaced_since: float | None = None  # another one is active, and has not been taken back
    takeovers: tuple[float, ...] = ()  # when another one was thrown out, in the last hour
    insist: bool = False  # `ibga login`: whatever the policy, for one login
    relogins: int = 0  # after a lost connection, in a row
    relogged: float = 0.0  # when last
    password_in: int | None = None  # field that holds the password as we typed it
    second_password_in: int | None = None  # and that of FIX CTCI's login for market data
    options_shown: bool = False
    token_void: bool = False  # that is all that failed so far: no login did
    dropped: bool = False  # launcher.log says that IB took no notice of it (guide 1.11)
    failures: int = 0  # transient ones in a row
    not_before: float = 0.0
    to_record: steps.RecordLogin | None = None
    last_words: str = ""  # of IB, on the last failed login
    second_factor_since: float | None = None  # of what it asks for now, or asked for last in this login
    second_factor_deadline: float | None = None  # Unix
    second_factor_kind: Kind | None = None
    second_factor_gone: float | None = None  # since when no window of it shows
    code_in: int | None = None  # field that holds a code of ours that was not sent
    code_sent: float | None = None
    factor_pressed: float | None = None  # a button or link that leads to another of its windows
    authenticated: bool = False  # its button was pressed
    device_changed: bool = False  # in this login
    device_changes: int = 0  # logins with one, since a login worked
    pushed: bool = False  # IB has rung a phone, whatever the method
    # settings and API
    settings_dialog: int | None = None  # the one that we opened
    settings_asked: bool = False  # we chose the menu's item, the dialog is to come
    settings_written: bool = False  # something was changed in it
    settings_rounds: int = 0
    settings: steps.SettingsRead | None = None
    api: ApiAnswer | None = None
    api_failures: int = 0
    # requests
    close_request: str | None = None
    close_since: float = 0.0
    close_chosen: float | None = None  # File > Close was pressed
    closed: bool = False  # and answered
    tries: Mapping[str, Try] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))  # kind -> folder


def is_ending(session: Session, sight: Sight) -> bool:
    """Whether the gateway is to end: only then is its question confirmed."""
    stopping = sight.gateway is not None and sight.gateway.state is GatewayState.STOPPING
    return stopping or session.close_request is not None or session.closed


def close_requested(session: Session, name: str, now: Now) -> Session:
    return replace(session, close_request=name, close_since=now.mono, close_chosen=None)


def observe(session: Session, sight: Sight, config: Config, now: Now) -> Session:
    """Return *session* with what *sight* tells."""
    pid = sight.gateway.pid if sight.gateway is not None and sight.alive else None
    if pid != session.pid:
        session = _of_new_process(_left_unfinished(session, sight, now), pid, now)
    if sight.gateway is not None and sight.gateway.state is GatewayState.STOPPED:
        # Closed or lent on purpose: what was between sessions is over with that.
        session = replace(session, displaced_since=None, takeovers=(), insist=False)
    if sight.report is None:
        return session
    if sight.report.truncated:  # what is missing in it may be there
        return session if session.cut_since is not None else replace(session, cut_since=now.mono)
    session = replace(session, cut_since=None) if session.cut_since is not None else session
    if session.closed and sight.view.main is not None and now.mono > session.close_since + CLOSE_TIMEOUT:
        session = replace(session, closed=False)  # it did not end after all
    if sight.dropped and session.submitted is not None and not session.dropped:
        session = replace(session, dropped=True)
    sight = replace(sight, view=fix.understood(sight.view, config))
    session = _observe_windows(session, sight, config, now)
    session = _observe_progress(session, sight.view, now)
    session = _observe_conflict(session, sight, config, now)
    session = _observe_second_factor(session, sight.view, now)
    session = _observe_settings(session, sight.view)
    session = _observe_login(session, sight.view, now)
    return _observe_main(session, sight.view, config, now)


def _of_new_process(session: Session, pid: int | None, now: Now) -> Session:
    """Nothing of the old process holds for the new one but how often logins failed."""
    return Session(
        pid=pid,
        pid_since=now.mono,
        state=session.state,
        quiet_since=now.mono,
        failures=session.failures,
        not_before=session.not_before,
        last_words=session.last_words,
        displaced_since=session.displaced_since,
        takeovers=session.takeovers,
        insist=session.insist,
        close_request=session.close_request,
        close_since=session.close_since,
        close_chosen=session.close_chosen,
        to_record=session.to_record,
        device_changes=session.device_changes,
        pushed=session.pushed,
    )


def _left_unfinished(session: Session, sight: Sight, now: Now) -> Session:
    """A process that ends by itself during a login has failed it, and may have rung a phone for nothing.

    Else a gateway that crashes at every login would spend the budget of a day in minutes.
    """
    stopping = sight.gateway is None or sight.gateway.state in (GatewayState.STOPPING, GatewayState.STOPPED)
    another = session.displaced_since is not None  # whoever chose "Exit Application" there is no failure
    if session.submitted is None or session.to_record is not None or stopping or another:
        return session
    what = "login" if session.second_factor_since is None else "second factor"
    return login_failed(session, f"the gateway ended during the {what}", now)


def _observe_windows(session: Session, sight: Sight, config: Config, now: Now) -> Session:
    assert sight.report is not None
    shown = {}
    fresh = []
    for window in sight.report.windows:
        if window.kind == "window":
            continue
        mark = steps.fingerprint(window)
        old = session.shown.get(window.id)
        if old is None or old.fingerprint != mark:
            shown[window.id] = Shown(mark, now.mono, old.came if old is not None else now.mono)
            fresh.append(window)
        else:
            shown[window.id] = old
    if shown.keys() != session.shown.keys():
        session = replace(session, quiet_since=now.mono)
    session = replace(session, shown=MappingProxyType(shown))
    others = {window.id for window in sight.view.others}
    for window in fresh:
        if window.id not in others:
            continue
        rule = rules.find(sight.rules, window, session.state, config, asked=is_ending(session, sight))
        if rule is not None:
            text = " ".join(rules.texts(window)) or window.title
            session = _with_rule(session, rule, text, now)
    return session


def _with_rule(session: Session, rule: Rule, text: str, now: Now) -> Session:
    if rule.warn and rule.warn not in session.warnings:
        session = replace(session, warnings=(*session.warnings, rule.warn))
    match rule.then:
        case Event.CREDENTIALS_REFUSED:
            return replace(
                session,
                submitted=None,
                insist=False,
                password_in=None,
                last_words=text,
                not_before=now.mono + BACK_OFF[0],  # should the ledger not know of it, for whatever reason
                to_record=steps.RecordLogin(outcome=Outcome.REFUSED, text=text),
            )
        case Event.LOGIN_FAILED:
            return login_failed(session, text, now, wait=waiting_time(text))
        case Event.LOGIN_EXPIRED:
            first = not session.failures
            session = login_failed(session, text, now, wait=EXPIRED_PAUSE if first else None)
            return replace(session, token_void=first)
        case Event.PAPER_WARNING:
            return replace(session, paper_warned=True)
        case Event.SHUTDOWN:
            return replace(session, shutting_down=True)
        case None:
            return session


def login_failed(
    session: Session, text: str, now: Now, *, wait: float | None = None, factor: Factor | None = None
) -> Session:
    """Return *session* after a login that may be tried again, later and later (guide 2.8)."""
    factor = _factor(session) if factor is None else factor
    failures = session.failures + 1
    pause = BACK_OFF[min(failures, len(BACK_OFF)) - 1] if wait is None else wait
    if session.dropped:
        pause, text = max(pause, DROPPED_PAUSE), f"{text} ({DROPPED_WORDS})"
    session = replace(
        session,
        failures=failures,
        not_before=now.mono + pause,
        submitted=None,
        insist=False,
        token_void=False,
        dropped=False,
        password_in=None,
        last_words=text,
        to_record=_unless_refused(
            session, steps.RecordLogin(outcome=Outcome.TRANSIENT, text=text, factor=factor)
        ),
    )
    return _over(_without_factor(session))


def _factor(session: Session) -> Factor:
    """Return what became of the second factor of a login that failed."""
    if session.second_factor_since is None:
        return Factor.NONE
    if _PAST_FACTOR.search(fold(session.phase)):
        return Factor.PASSED
    if session.code_sent is not None:
        return Factor.REFUSED
    # A change of the device may itself end a login (guide 4.4): nobody failed to answer then.
    kicked = session.device_changed and session.factor_pressed is not None
    return Factor.NONE if kicked else Factor.UNANSWERED


def _device_changed(session: Session) -> Session:
    count = session.device_changes + (0 if session.device_changed else 1)
    return replace(session, device_changed=True, device_changes=count)


def _without_factor(session: Session) -> Session:
    """Return *session* without what was seen of a second factor that is over."""
    return replace(
        session,
        second_factor_since=None,
        second_factor_deadline=None,
        second_factor_kind=None,
        second_factor_gone=None,
        code_in=None,
        code_sent=None,
        factor_pressed=None,
        device_changed=False,
        authenticated=False,
    )


def _over(session: Session) -> Session:
    """Return *session* without what was seen of the one that is over."""
    return replace(session, logged_in=False, settings=None, api=None, settings_rounds=0, paper_warned=False)


def _unless_refused(session: Session, record: steps.RecordLogin) -> steps.RecordLogin:
    """A refusal that is still to be written down gives way to nothing."""
    waiting = session.to_record
    return waiting if waiting is not None and waiting.outcome is Outcome.REFUSED else record


def waiting_time(text: str) -> float | None:
    """Return the seconds that "Please wait N minutes & M seconds" asks for, with a margin; None without."""
    found = _TOO_MANY.search(text)
    if found is None or not any(found.groups()):
        return None
    minutes, seconds = (int(each) if each else 0 for each in found.groups())
    return minutes * 60 + seconds + _TOO_MANY_MARGIN


def _observe_progress(session: Session, view: View, now: Now) -> Session:
    if view.progress is not None:
        since = now.mono if session.progress_since is None else session.progress_since
        return replace(
            session, phase=view.progress.title, progress_since=since, reconnecting=session.logged_in
        )
    if session.progress_since is None:
        return session
    # The frame's close while it is titled so is the surest sign of a completed login (guide 2.2).
    completed = _LAST_PHASE in fold(session.phase)
    session = replace(
        session,
        progress_since=None,
        quiet_since=now.mono,
        reconnecting=session.reconnecting and not completed,
        displaced_since=None if completed else session.displaced_since,
    )
    if completed and (not session.logged_in or session.submitted is not None):
        return logged_in(session)
    return session


def logged_in(session: Session) -> Session:
    return replace(
        _without_factor(session),
        device_changes=0,
        logged_in=True,
        reconnecting=False,
        submitted=None,
        failures=0,
        not_before=session.not_before if session.relogins else 0.0,
        last_words="",
        displaced_since=None,
        insist=False,
        password_in=None,
        to_record=_unless_refused(
            session, steps.RecordLogin(outcome=Outcome.ACCEPTED, text="", factor=Factor.PASSED)
        ),
    )


def is_lost(session: Session, sight: Sight) -> bool:
    """Whether the connection was lost to the network, and not to another session (guide 2.8, 2.9)."""
    return session.reconnecting and not sight.kicked and session.displaced_since is None


def recent_takeovers(session: Session, now: Now) -> tuple[float, ...]:
    """When another session was thrown out within the last hour, oldest first."""
    return tuple(each for each in session.takeovers if abs(now.unix - each) < TAKEOVER_SPAN)


def _observe_conflict(session: Session, sight: Sight, config: Config, now: Now) -> Session:
    """Notice that another session is active, or no longer is. That is no failure of ours."""
    view = sight.view
    if session.displaced_since is not None and session.displaced_since > now.unix:
        session = replace(session, displaced_since=now.unix)  # the clock was set back
    if view.conflict is not None:
        lost = view.conflict.find("JButton", "Re-login") is not None and (
            is_lost(session, sight) or not session.logged_in
        )
        # At a login that takes over there is nothing to stand back from.
        takes = not session.logged_in and config.login.existing_session is ExistingSession.TAKE_OVER
        if lost or takes or session.displaced_since is not None:
            return session
        return replace(session, displaced_since=now.unix, api=None)
    others = (view.login, view.progress, view.second_factor)
    settled = session.logged_in and view.main is not None and all(each is None for each in others)
    if settled and now.mono - session.quiet_since > RECONNECTED:
        return replace(session, displaced_since=None, insist=False)
    return session


def _observe_second_factor(session: Session, view: View, now: Now) -> Session:
    window = view.second_factor
    if window is None or _offers_relogin(view):
        return _observe_its_end(session, view, now)
    kind = read_challenge(window).kind
    session = replace(session, second_factor_gone=None, pushed=session.pushed or kind is Kind.PUSH)
    # A login is under way, whoever began it: what comes of it is to be noticed.
    session = replace(session, submitted=now.mono) if session.submitted is None else session
    known = session.second_factor_kind
    if session.second_factor_since is not None and kind in (known, Kind.UNKNOWN):
        return session
    return replace(
        session,
        second_factor_since=now.mono,
        second_factor_deadline=now.unix + FACTOR_LIMIT,
        second_factor_kind=kind,
        code_in=None,
        factor_pressed=None,
    )


def _observe_its_end(session: Session, view: View, now: Now) -> Session:
    if session.second_factor_since is None:
        return session
    if session.second_factor_gone is None:
        session = replace(session, second_factor_gone=now.mono)
    # After its time-out IB may offer to log in again instead of the form (guide 4.4).
    if not _offers_relogin(view):
        return session
    if not _kicked(session, now):
        return login_failed(session, _factor_words(session), now)
    # What IB offers is what is to be done (guide 4.4): at once, but the second time of a row later.
    wait = 0.0 if session.device_changes <= 1 else None
    return login_failed(session, _KICKED, now, wait=wait, factor=Factor.NONE)


def _offers_relogin(view: View) -> bool:
    return view.conflict is not None and view.conflict.find("JButton", "Re-login") is not None


def _kicked(session: Session, now: Now) -> bool:
    """Whether IB threw the login out for the change of its device, be it after the new device's form came."""
    if not session.device_changed or session.code_sent is not None:
        return False
    assert session.second_factor_since is not None
    return session.factor_pressed is not None or now.mono < session.second_factor_since + KICK_TIMEOUT


def _factor_words(session: Session) -> str:
    """What is told of a login that ended with its second factor."""
    assert session.second_factor_since is not None
    if session.code_sent is not None:
        return "the code was refused"
    if _factor(session) is Factor.NONE:
        return _KICKED
    gone = session.second_factor_gone or session.second_factor_since
    if gone - session.second_factor_since > FACTOR_LIKELY_OVER:
        return "the second factor was not answered in time"
    return "the second factor was called off"


def _observe_settings(session: Session, view: View) -> Session:
    """Tell the dialog that we opened from one that a person opened."""
    if view.settings is None:
        return replace(session, settings_dialog=None, settings_written=False)
    if session.settings_asked:
        return replace(
            session, settings_dialog=view.settings.id, settings_asked=False, settings_written=False
        )
    return session


def _observe_login(session: Session, view: View, now: Now) -> Session:
    if view.login is None:
        return session
    session = replace(session, login_form_shown=True)
    if session.logged_in and view.main is None and view.progress is None:
        # Back at the form: the session is over, and with it what was read of it.
        return _over(session)
    return _observe_silence(session, view, now)


def _observe_silence(session: Session, view: View, now: Now) -> Session:
    """Notice a login that came to nothing without a word: the form is usable again (guide 3.5)."""
    if session.submitted is None or view.login is None or view.progress is not None or view.dialogs:
        return session
    if session.logged_in and view.main is not None:
        return session  # the form may stay beside the main window (guide 2.3), here after a re-login
    password = view.login.find("JPasswordField")
    if password is None or not password.enabled:
        return session
    started = bool(session.phase) or session.second_factor_since is not None
    quiet = now.mono - max(session.submitted, session.quiet_since)
    if quiet < (FELL_BACK_TIMEOUT if started or session.dropped else ANSWER_TIMEOUT):
        return session
    words = "the login fell back to its form" if started else "IB did not react to the login"
    if session.second_factor_since is not None and _factor(session) is not Factor.PASSED:
        words = _factor_words(session)
    return login_failed(session, words, now)


def _observe_main(session: Session, view: View, config: Config, now: Now) -> Session:
    """Take a session for logged in that was so before we came, or that has no progress frame (guide 2.2)."""
    others = (view.progress, view.second_factor, view.conflict)
    if view.main is None or any(each is not None for each in others):
        return session
    if session.reconnecting and now.mono - session.quiet_since > RECONNECTED:
        session = replace(session, reconnecting=False)
    # The main window is there before the login is complete, with its dialogs over it (guide 2.3).
    if any(each.modal for each in view.others):
        return session
    settled = session.submitted is None if session.logged_in else view.login is not None
    if settled:
        return session
    if now.mono - session.quiet_since < ADOPT_SETTLE:
        return session
    if fix.is_fix(config) and not session.logged_in and not _fix_complete(session, view.main, now):
        return session
    if session.submitted is not None:
        return logged_in(session)
    return replace(logged_in(session), to_record=session.to_record)


def _fix_complete(session: Session, main: Window, now: Now) -> bool:
    """The table tells what no progress window does; it is red until the login is complete (guide 5.3)."""
    told = fix.server_connected(main)
    return now.mono - session.quiet_since > fix.SETTLE_WITHOUT_TABLE if told is None else told


def _relogged(session: Session, now: Now) -> Session:
    """Each of a row later: two sessions that insist would spend a budget in a minute (guide 2.8)."""
    count = session.relogins + 1 if now.mono < session.relogged + RELOGIN_ROW else 1
    pause = BACK_OFF[min(count, len(BACK_OFF)) - 1]
    return replace(session, relogins=count, relogged=now.mono, not_before=now.mono + pause)


def _taken_over(session: Session, now: Now) -> Session:
    """What was read of the API was the other one's time."""
    takeovers = (*recent_takeovers(session, now), now.unix)
    return replace(session, takeovers=takeovers, displaced_since=None, insist=False, api=None)


def after(session: Session, step: steps.Deed, worked: bool, now: Now) -> Session:
    """Return *session* after *step* was seen to work, or had no effect."""
    tries = dict(session.tries)
    if worked:
        tries.pop(step.name, None)
    else:
        tries[step.name] = Try(tries[step.name].count + 1 if step.name in tries else 1, now.mono)
    session = replace(session, tries=MappingProxyType(tries))
    if not worked:
        return session
    match step:
        case steps.Click(login_attempt=True):
            if step.name == RELOGIN:
                session = _relogged(session, now)
            if step.name == TAKE_OVER or (step.name == RELOGIN and session.displaced_since is not None):
                session = _taken_over(session, now)
            return replace(
                _without_factor(session),
                submitted=now.mono,
                dropped=False,
                phase="",
                password_in=None,
                options_shown=False,
                quiet_since=now.mono,
            )
        case steps.TypeCode():
            return replace(session, code_in=step.component)
        case steps.Click(name="send the code"):  # SEND_CODE
            return replace(session, code_in=None, code_sent=now.mono)
        case steps.Click(name="change the security device"):  # CHANGE_DEVICE
            return replace(_device_changed(session), factor_pressed=now.mono)
        case steps.Choose(name="choose the second factor's device"):  # CHOOSE_DEVICE
            return _device_changed(session)
        case steps.Click(name="confirm the second factor's device"):  # CONFIRM_DEVICE
            return replace(session, factor_pressed=now.mono)
        case steps.Click(name="authenticate with a passkey"):  # AUTHENTICATE
            return replace(session, authenticated=True)
        case steps.Type(name="type the password"):
            return replace(session, password_in=step.component, second_password_in=None)
        case steps.Type(name="type the market data password"):
            return replace(session, second_password_in=step.component)
        case steps.Click(name="take the session over"):  # TAKE_OVER, at a login
            return replace(_taken_over(session, now), submitted=now.mono)
        case steps.Click(name="give way to the other session"):  # GIVE_WAY
            record = steps.RecordLogin(outcome=Outcome.YIELDED, text="another session of this user is active")
            return replace(session, submitted=None, phase="", password_in=None, to_record=record)
        case steps.Click(name="show more options"):
            return replace(session, options_shown=True)
        case steps.Menu(path=("Configure", "Settings")):
            return replace(session, settings_asked=True)
        case steps.Menu(path=("File", "Close")):
            return replace(session, close_chosen=now.mono)
        case steps.Click(name="accept the settings"):
            return replace(session, settings_dialog=None, settings_rounds=session.settings_rounds + 1)
        case steps.Click(name="leave the settings"):
            return replace(session, settings_dialog=None, settings=step.read)
        case steps.Click() | steps.Type() if step.window == session.settings_dialog:
            return replace(session, settings_written=True)
    return session
