"""Codes of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 s; guide 4.4): which, and when.

IB takes a code once, and its clock may be another than ours. So the tries of a login lie in the period
where both kinds of error pass: the second at the beginning of a period (a server that is ahead by up to
20 s is in the same one), the third at its end (one that is behind).
"""

PERIOD = 30  # s
MARGIN = 3.0  # s that a code must be good for when it is typed; the click comes after it
TRIES = 3  # per login: more would come near IB's lock
EARLY = (0.0, 8.0)  # s of a period in which the second try begins
LATE = (22.0, PERIOD - MARGIN)  # ... the third
_ANY = (0.0, PERIOD - MARGIN)


def period_of(unix: float) -> int:
    return int(unix // PERIOD)


def period_end(unix: float) -> float:
    """Return the Unix time at which the code of *unix* is out of date."""
    return float((period_of(unix) + 1) * PERIOD)


def moment(unix: float, used: tuple[int, ...], tries: int) -> float:
    """Return the Unix time, *unix* at the earliest, at which a code may be typed for the next try.

    *used* are the periods whose code was typed already; *tries* codes were refused in a row.
    """
    begin, end = (_ANY, EARLY, LATE)[min(tries, TRIES - 1)]
    period = period_of(unix)
    while period in used or unix >= period * PERIOD + end:
        period += 1
    return max(unix, period * PERIOD + begin)


def code(secret: str, period: int) -> str:
    """Return the code of *period*. Raises ValueError where *secret* is no base32."""
    import pyotp  # not at the top: most gateways have no such key, and it costs memory

    return str(pyotp.TOTP(secret).at(period * PERIOD))
