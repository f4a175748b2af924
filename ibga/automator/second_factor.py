"""The second factor (guide 4.4): who answers it, how, and when a login may ask for one."""

import dataclasses
import time
from collections.abc import Mapping
from types import MappingProxyType

from ibga.agent.report import Component, Window, collapse
from ibga.automator import prompts, totp
from ibga.automator.challenge import AUTHENTICATOR, Challenge, Kind, choose_device, read_challenge, serves
from ibga.automator.decision import Decision
from ibga.automator.evidence import kind_of
from ibga.automator.prompts import may_ring, method_of
from ibga.automator.screens import View
from ibga.automator.session import (
    AUTHENTICATE,
    CHANGE_DEVICE,
    CHOOSE_DEVICE,
    CONFIRM_DEVICE,
    FACTOR_GAP,
    SEND_CODE,
    TAKE_OVER,
    Now,
    Session,
    Sight,
)
from ibga.automator.steps import (
    Answered,
    AskCode,
    Choose,
    Click,
    CodeTaken,
    HoldPhone,
    SaveEvidence,
    Step,
    Type,
    TypeCode,
    Wait,
)
from ibga.config import Config
from ibga.config.settings import SecondFactorMethod as Method
from ibga.runtime import State

GIVE_UP = 180.0 + 60.0  # s: IB's limit, and a margin (guide 4.4)
INCOMPLETE_TIMEOUT = 3.0  # s: a tree is incomplete while a window opens (guide 11.1)
PROMPT_TIMEOUT = 120.0  # s from the press to the second factor; later than that the phone is for others
ANSWER_TIMEOUT = 10.0  # s for a form to say what became of a code
REFUSED_AFTER = (
    1.0  # s that it shows an empty field again, or new words, before the code is taken for refused
)
GOOD_FOR = 1.0  # s that a typed code must be good for when it is sent
COMMAND_CODE = 30.0  # s that a command's code is taken to be good for
COMMAND_PAUSE = 10.0  # s after a command that failed
COMMAND_FAILURES = 3
#: Logins. After a change IB may throw the login out (guide 4.4); twice means that it will every time.
MAX_CHANGES = 2

#: What a person is told to do about what no program can answer.
_PERSON: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.PUSH: "confirm the login in IBKR Mobile on your phone",
        Kind.LIST: "choose a device on the gateway's screen",
        Kind.CODE: "enter the code on the gateway's screen",
        Kind.CARD: "enter the card's code on the gateway's screen; no program can. "
        f"With {AUTHENTICATOR!r} at IB and its key in account.totp_secret_file nobody is needed",
        Kind.PASSKEY: "press Authenticate on the gateway's screen and use the passkey; or have another "
        "second factor enabled at IB",
        Kind.UNKNOWN: "answer it on the gateway's screen",
    }
)
_NAMES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.PUSH: "IB Key",
        Kind.LIST: "a choice among devices",
        Kind.CODE: "a code",
        Kind.CARD: "the security code card",
        Kind.PASSKEY: "a passkey",
        Kind.UNKNOWN: "a second factor that is not known",
    }
)


def decide_second_factor(
    window: Window, session: Session, sight: Sight, config: Config, now: Now
) -> Decision:
    """Return what is to be done about a second factor window; only what its contents bear out is pressed."""
    if session.second_factor_since is not None and now.mono > session.second_factor_since + GIVE_UP:
        return Decision(
            state=State.NEEDS_PERSON,
            reason="IB's time for the second factor is over, and its window is still there",
            person="close it on the gateway's screen with Cancel",
        )
    challenge = read_challenge(window)
    if session.factor_pressed is not None and now.mono < session.factor_pressed + FACTOR_GAP:
        # What was pressed may stay on the screen until the next form comes: it is not pressed twice.
        decision = _doing("the next form is awaited", Wait(session.factor_pressed + FACTOR_GAP))
        return dataclasses.replace(decision, deadline=session.second_factor_deadline)
    match challenge.kind:
        case Kind.PUSH:
            decision = _push(challenge, session, config)
        case Kind.LIST:
            decision = _list(challenge, session, config, now)
        case Kind.CODE:
            decision = _code(challenge, session, sight, config, now)
        case Kind.PASSKEY:
            decision = _passkey(challenge, session, config)
        case Kind.CARD:
            decision = _for_person(challenge)
        case Kind.UNKNOWN:
            decision = _unknown(challenge, session, now)
    return dataclasses.replace(decision, deadline=session.second_factor_deadline)


def _for_person(challenge: Challenge, why: str = "", person: str = "") -> Decision:
    asks = f"IB asks for {_NAMES[challenge.kind]}"
    return Decision(
        state=State.NEEDS_PERSON,
        reason=f"{asks}: {why}" if why else asks,
        person=person or _PERSON[challenge.kind],
    )


def _doing(reason: str, step: Step | None = None) -> Decision:
    return Decision(state=State.SECOND_FACTOR, reason=reason, step=step or Wait())


def _push(challenge: Challenge, session: Session, config: Config) -> Decision:
    """Nothing to press: it closes when the phone approves. Another method needs another device first."""
    method = method_of(config)
    if method in (Method.IB_KEY, Method.MANUAL):
        return Decision(
            state=State.SECOND_FACTOR,
            reason=f"Waiting for IB Key on your phone until {_clock(session.second_factor_deadline)}",
            person=_PERSON[Kind.PUSH],
        )
    return _change_device(challenge, session, config) or _for_person(
        challenge,
        f"the configured method is {method}",
        f"{_PERSON[Kind.PUSH]}; and make the wanted device the only or the first one at IB",
    )


def _change_device(challenge: Challenge, session: Session, config: Config) -> Decision | None:
    """Return the press of "Change security device", where that is there and may help."""
    link = challenge.change_device
    if link is None or not link.enabled or session.device_changed or session.device_changes >= MAX_CHANGES:
        return None
    return _doing(
        f"IB asks for {_NAMES[challenge.kind]} and not for {method_of(config)}: changing the device",
        Click(
            name=CHANGE_DEVICE,
            window=challenge.window.id,
            component=link.id,
            effect=Answered(challenge.window.id),
            effect_timeout=3.0,
            once=True,
        ),
    )


def _list(challenge: Challenge, session: Session, config: Config, now: Now) -> Decision:
    method, device = method_of(config), config.second_factor.device
    assert challenge.choice is not None
    row = choose_device(challenge.rows, method, device)
    if method is Method.MANUAL and not device:
        return _for_person(challenge)
    if row is None:
        offers = ", ".join(repr(collapse(each.text)) for each in challenge.rows)
        wanted = f"none is {device!r}" if device else f"none is surely the one of the method {method}"
        return _for_person(
            challenge, f"{offers}; {wanted}", "choose on the gateway's screen, and set second_factor.device"
        )
    name = collapse(row.text)
    if session.factor_pressed is not None:
        return _for_person(challenge, f"{name!r} was chosen, and nothing came of it")
    if not row.selected and not session.device_changed and session.device_changes >= MAX_CHANGES:
        return _for_person(
            challenge,
            f"IB has ended {session.device_changes} logins when {name!r} was chosen",
            f"{_PERSON[Kind.LIST]}, and make it the only or the first device at IB",
        )
    if not row.selected:
        step: Step = Choose(
            name=CHOOSE_DEVICE,
            window=challenge.window.id,
            component=challenge.choice.id,
            row=row.index,
        )
    elif challenge.ok is None or not challenge.ok.enabled:
        return _incomplete(challenge, session, now, "its button OK cannot be pressed")
    else:
        step = Click(
            name=CONFIRM_DEVICE,
            window=challenge.window.id,
            component=challenge.ok.id,
            effect=Answered(challenge.window.id),
            effect_timeout=3.0,
            once=True,
        )
    return _doing(f"choosing the device {name!r}", step)


def _code(challenge: Challenge, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    method = method_of(config)
    wants = f"it says {challenge.label!r}"
    if method is Method.MANUAL:
        return _for_person(challenge, wants)
    if not serves(method, config.second_factor.device, challenge.label):
        return _change_device(challenge, session, config) or _for_person(
            challenge, f"{wants}, and the configured method is {method}"
        )
    if challenge.field is None or not challenge.field.enabled:
        return _doing(
            "IB looks at the code" if session.code_sent is not None else "the form for the code opens"
        )
    if challenge.ok is None:
        return _incomplete(challenge, session, now, "it has no button OK")
    if sight.past_error:
        return _for_person(challenge, f"no code without its record: {sight.past_error}")
    if session.code_in == challenge.field.id and challenge.field.length and _still_good(sight, method, now):
        return _send(challenge, challenge.field)
    waits = _awaiting_answer(challenge, session, now)
    if waits is not None:
        return waits
    refused = prompts.codes_refused(sight.past, config)
    if refused is not None:
        return _for_person(challenge, refused.reason, refused.person)
    if method is Method.COMMAND:
        return _by_command(challenge, challenge.field, sight, now)
    if not config.account.totp_secret:
        return _for_person(challenge, wants, f"{_PERSON[Kind.CODE]}, or set account.totp_secret_file")
    return _by_totp(challenge, challenge.field, sight, now)


def _still_good(sight: Sight, method: Method, now: Now) -> bool:
    """Whether the code that was typed last may still be sent."""
    if not sight.past.tries:
        return False
    typed = sight.past.tries[-1]
    end = totp.period_end(typed) if method is Method.TOTP else typed + COMMAND_CODE
    return typed - 1.0 <= now.unix < end - GOOD_FOR


def _send(challenge: Challenge, field: Component) -> Decision:
    if challenge.ok is None or not challenge.ok.enabled:
        return _doing("the code is typed, the button OK is awaited")
    return _doing(
        "sending the code",
        Click(
            name=SEND_CODE,
            window=challenge.window.id,
            component=challenge.ok.id,
            effect=CodeTaken(challenge.window.id, field.id),
            effect_timeout=3.0,
            once=True,
        ),
    )


def _awaiting_answer(challenge: Challenge, session: Session, now: Now) -> Decision | None:
    """Return a wait while IB may still be at the code that was sent."""
    if session.code_sent is None:
        return None
    assert challenge.field is not None
    shown = session.shown.get(challenge.window.id)
    changed = shown is not None and shown.since > session.code_sent
    back = changed or challenge.field.length == 0
    since = max(session.code_sent, shown.since if shown is not None and changed else 0.0)
    until = since + (REFUSED_AFTER if back else ANSWER_TIMEOUT)
    return _doing("IB looks at the code", Wait(until)) if now.mono < until else None


def _by_totp(challenge: Challenge, field: Component, sight: Sight, now: Now) -> Decision:
    tries = len(sight.past.tries)
    count = f"code {tries + 1} of {totp.TRIES}"
    at = totp.moment(now.unix, sight.past.periods, tries)
    if at > now.unix:
        reason = f"the next code is typed at {_clock(at)} ({count})"
        return _doing(reason, Wait(now.mono + at - now.unix))
    return _doing(f"typing the authenticator's code ({count})", _type_code(challenge, field))


def _by_command(challenge: Challenge, field: Component, sight: Sight, now: Now) -> Decision:
    answer = sight.command
    if answer is None:
        return _doing("asking second_factor.code_command for a code", AskCode())
    if answer.running:
        return _doing("asking second_factor.code_command for a code")
    if answer.ready and now.mono < answer.mono + COMMAND_CODE:
        return _doing("typing the code of second_factor.code_command", _type_code(challenge, field))
    if answer.failures >= COMMAND_FAILURES:
        return _for_person(
            challenge,
            f"second_factor.code_command has failed {answer.failures} times: {answer.error}",
            f"{_PERSON[Kind.CODE]}, and mend the command",
        )
    if answer.failures and now.mono < answer.mono + COMMAND_PAUSE:
        reason = f"second_factor.code_command: {answer.error}; it is asked again"
        return _doing(reason, Wait(answer.mono + COMMAND_PAUSE))
    return _doing("asking second_factor.code_command for a code", AskCode())


def _type_code(challenge: Challenge, field: Component) -> TypeCode:
    return TypeCode(name="type the code", window=challenge.window.id, component=field.id)


def _passkey(challenge: Challenge, session: Session, config: Config) -> Decision:
    button = challenge.authenticate
    if method_of(config) is not Method.PASSKEY:
        return _change_device(challenge, session, config) or _for_person(challenge)
    if session.authenticated or button is None or not button.enabled:
        until = _clock(session.second_factor_deadline)
        return dataclasses.replace(
            _doing(f"Waiting for the passkey until {until}"), person="use the passkey on the gateway's screen"
        )
    return _doing(
        "IB asks for a passkey: Authenticate is pressed",
        Click(
            name=AUTHENTICATE,
            window=challenge.window.id,
            component=button.id,
            effect=Answered(challenge.window.id),
            effect_timeout=3.0,
            once=True,
        ),
    )


def _incomplete(challenge: Challenge, session: Session, now: Now, why: str) -> Decision:
    shown = session.shown.get(challenge.window.id)
    until = (shown.since if shown is not None else now.mono) + INCOMPLETE_TIMEOUT
    return (
        _doing("the second factor's window opens", Wait(until))
        if now.mono < until
        else _for_person(challenge, why)
    )


def _unknown(challenge: Challenge, session: Session, now: Now) -> Decision:
    """What nothing knows is left alone, and kept; but not while a code stands in it."""
    decision = _incomplete(challenge, session, now, f"{collapse(challenge.window.all_text())[:120]!r}")
    kept = kind_of(challenge.window) in session.evidence
    if decision.state is not State.NEEDS_PERSON or kept or _has_text(challenge.window):
        return decision
    return dataclasses.replace(decision, step=SaveEvidence(window=challenge.window.id))


def _has_text(window: Window) -> bool:
    return any(each.editable and each.length for each in window.walk())


def shows_code(view: View) -> bool:
    """Whether a code stands in a field on the screen: then no picture of it is taken."""
    return view.second_factor is not None and _has_text(view.second_factor)


def _clock(unix: float | None) -> str:
    return time.strftime("%H:%M:%S", time.localtime(unix))


# --- before the login ------------------------------------------------------------------------------------


def gate(decision: Decision, session: Session, sight: Sight, config: Config, now: Now) -> Decision:
    """Return *decision*, or why it waits: a login that would ask for a second factor at the wrong time."""
    step = decision.step
    # A login that goes on over another session may have waited for minutes: by now it is as a new one.
    attempt = isinstance(step, Click) and (step.login_attempt or step.name == TAKE_OVER)
    form = sight.view.login
    filling = isinstance(step, Click | Type | Choose) and form is not None and step.window == form.id
    # One that waits for something else already may have to wait longer, and is to say so.
    waiting = isinstance(step, Wait) and decision.deadline is not None and session.submitted is None
    waiting = waiting and decision.state in (State.LOGIN, State.RECONNECTING)
    if not prompts.has_second_factor(config) or not (attempt or filling or waiting):
        return decision
    if sight.past_error:
        return _held(State.NEEDS_PERSON, f"no login without its record: {sight.past_error}", "mend that")
    rings = may_ring(config, pushed=session.pushed)
    past, quiet = sight.past, rings
    if session.insist:  # `ibga login`: whoever asks for it is awake
        past, quiet = dataclasses.replace(past, unanswered=()), False
    why = prompts.withheld(past, config, now.unix, rings=quiet)
    if why is not None:
        if why.until is None:
            return _held(State.NEEDS_PERSON, why.reason, why.person)
        if waiting and decision.deadline is not None and decision.deadline > why.until:
            return decision
        return dataclasses.replace(
            _held(decision.state, f"{why.reason} until {_clock(why.until)}", why.person, why.until),
            step=Wait(now.mono + why.until - now.unix),
        )
    if not attempt or not rings or sight.phone.held:
        return decision
    if sight.phone.error:
        held = _held(
            State.NEEDS_PERSON,
            f"no login that may ring a phone without its lock: {sight.phone.error}",
            "mend that",
        )
        return dataclasses.replace(held, step=HoldPhone())  # tried again: it goes on once that is mended
    reason = (
        f"{sight.phone.holder} waits for the phone, this login comes after it"
        if sight.phone.holder
        else decision.reason
    )
    return Decision(state=decision.state, reason=reason, step=HoldPhone())


def _held(state: State, reason: str, person: str, until: float | None = None) -> Decision:
    return Decision(state=state, reason=reason, person=person, deadline=until)


def keeps_phone(session: Session, step: Step, now: Now) -> bool:
    """Whether this instance may still have a phone rung. It ends in any case, for the others wait for it."""
    if isinstance(step, HoldPhone):
        return True
    if isinstance(step, Click) and (step.login_attempt or step.name == TAKE_OVER):
        return True
    if session.submitted is None:
        return False
    if session.second_factor_since is None:
        return now.mono < session.submitted + PROMPT_TIMEOUT
    if session.second_factor_gone is not None:
        return now.mono < session.second_factor_gone + FACTOR_GAP
    return now.mono < session.second_factor_since + GIVE_UP
