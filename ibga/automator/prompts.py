"""When a login may ask for a second factor again (guide 2.4, 4.4): quiet hours, time-outs, refused codes.

What was asked before is on disk and by user name, so neither a restart nor another instance forgets it.
"""

import datetime
from dataclasses import dataclass
from enum import StrEnum

from ibga.automator import totp
from ibga.config import Config
from ibga.config.settings import Mode, OnTimeout, SecondFactorMethod

#: s from the 1st, 2nd, ... second factor in a row that nobody answered to the next. IB counts each as a
#: failed login (guide 2.4), and who did not look at the phone may be asleep: after these a person is asked.
PAUSES = (300.0, 1800.0, 7200.0)


class Factor(StrEnum):
    """What became of the second factor of a login."""

    NONE = "none"  # there was none, or none that tells anything
    PASSED = "passed"
    UNANSWERED = "unanswered"  # timed out, or called off: a phone rang for nothing
    REFUSED = "refused"  # a code was typed, and IB did not take it


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is remembered of a user name's second factors. Times are Unix."""

    periods: tuple[int, ...] = ()  # of TOTP, whose code was typed
    tries: tuple[float, ...] = ()  # when a code was typed, since the last that IB took
    unanswered: tuple[float, ...] = ()  # when one ended unanswered, since the last that was answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Who may have a phone rung now (second-factor.lock): this instance, or another, or nobody yet."""

    held: bool = False
    holder: str = ""  # another instance
    error: str = ""  # why the lock cannot be had at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why no login is submitted now; *until* is Unix time, None where a person has to act first."""

    reason: str
    person: str = ""
    until: float | None = None


def method_of(config: Config) -> SecondFactorMethod:
    """Return the method that "auto" stands for: what needs no person first."""
    if config.second_factor.method is not SecondFactorMethod.AUTO:
        return config.second_factor.method
    if config.account.totp_secret:
        return SecondFactorMethod.TOTP
    if config.second_factor.code_command:
        return SecondFactorMethod.COMMAND
    return SecondFactorMethod.IB_KEY


def has_second_factor(config: Config) -> bool:
    """Paper logins need none (guide 2.10)."""
    return config.account.mode is Mode.LIVE


def may_ring(config: Config, *, pushed: bool) -> bool:
    """Whether a login may ring a phone. *pushed*: one did, whatever the method (guide 4.4, D-2FA-LIST)."""
    by_method = method_of(config) in (SecondFactorMethod.IB_KEY, SecondFactorMethod.MANUAL)
    return has_second_factor(config) and (by_method or pushed)


def withheld(past: Past, config: Config, unix: float, *, rings: bool) -> Withheld | None:
    """Return why no login that asks for a second factor is to be submitted at *unix*, None to go on."""
    refused = codes_refused(past, config)
    if refused is not None:
        return refused
    count = len(past.unanswered)
    until = unix
    if count:
        times = "once" if count == 1 else f"{count} times in a row"
        reason = f"the second factor was not answered, {times}"
        if config.second_factor.on_timeout is OnTimeout.WAIT or count > len(PAUSES):
            return Withheld(reason=reason, person="when you can confirm a login on the phone: ibga retry")
        last, pause = past.unanswered[-1], PAUSES[count - 1]
        # One of the far future: the clock was set back, nobody knows by how much. It counts, but is over.
        until = last + pause if last < unix + pause else unix
    quiet_end = quiet_until(max(until, unix), config.second_factor.quiet_hours) if rings else None
    if quiet_end is not None and quiet_until(unix, config.second_factor.quiet_hours) is not None:
        reason = "quiet hours: no login that may ring a phone"
        return Withheld(
            reason=reason, person="to log in now: change second_factor.quiet_hours", until=quiet_end
        )
    if until > unix:
        return Withheld(reason=f"{reason}: no further login", until=quiet_end or until)
    return None


def codes_refused(past: Past, config: Config) -> Withheld | None:
    """Return that no further code is typed, where enough were refused."""
    method = method_of(config)
    if method not in (SecondFactorMethod.TOTP, SecondFactorMethod.COMMAND) or len(past.tries) < totp.TRIES:
        return None
    why = "look at this host's clock (timedatectl) and at the key (account.totp_secret)"
    if method is SecondFactorMethod.COMMAND:
        why = "look at what second_factor.code_command prints, and at this host's clock (timedatectl)"
    return Withheld(reason=f"IB took none of {len(past.tries)} codes", person=f"{why}, then: ibga retry")


def quiet_until(unix: float, span: str) -> float | None:
    """Return when the quiet hours *span* ("22:00-07:00", local time) end that *unix* is in, else None."""
    if not span:
        return None
    begin, end = (datetime.time.fromisoformat(each) for each in span.split("-"))
    local = datetime.datetime.fromtimestamp(unix)
    time = local.time()
    inside = begin <= time < end if begin < end else time >= begin or time < end
    if not inside:
        return None
    last = datetime.datetime.combine(local.date(), end)
    return (last if last > local else last + datetime.timedelta(days=1)).timestamp()
