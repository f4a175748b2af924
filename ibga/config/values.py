"""What a single value of the configuration may be: one parser a kind, each from TOML's value to ours.

A parser returns the value as the record's field holds it, or raises Wrong. It touches no file.
"""

import base64
import ipaddress
import json
import re
import shlex
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

Parser = Callable[[Any], Any]

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}  # s
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"


class Wrong(Exception):  # noqa: N818 - a verdict on a value; the error is made of all of them
    """The value is not *what* ("a TCP port"); *allowed* says what would be."""

    def __init__(self, what: str, allowed: str) -> None:
        super().__init__(what)
        self.what = what
        self.allowed = allowed


def shown(value: object) -> str:
    """*value* as an operator would write it."""
    return json.dumps(value, ensure_ascii=False, default=str)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong("a text", 'in quotes: "…"')
    return value


def line(value: Any) -> str:
    """One line of text, "" for none; what is typed into a field cannot have more."""
    result = text(value)
    if any(ord(char) < 32 or ord(char) == 127 for char in result):
        raise Wrong("a single line of text", "no line breaks, tabs or control characters")
    return result


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("a truth value", "true or false, without quotes")
    return value


def whole(low: int, high: int, what: str = "a whole number in range") -> Parser:
    def parse(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Wrong(what, f"a number, {low} to {high}, without quotes")
        return value

    return parse


port = whole(1, 65535, "a TCP port")


def choice(kind: type[StrEnum]) -> Parser:
    def parse(value: Any) -> StrEnum:
        options = [f'"{option}"' for option in kind]
        try:
            return kind(text(value))
        except (ValueError, Wrong):
            raise Wrong("one of the choices", ", ".join(options)) from None

    return parse


def matching(pattern: str, what: str, allowed: str, *, empty: bool = False) -> Parser:
    """A text that *pattern* matches as a whole, or "" where *empty*."""

    def parse(value: Any) -> str:
        if isinstance(value, str) and ((empty and not value) or re.fullmatch(pattern, value)):
            return value
        raise Wrong(what, allowed + (', or ""' if empty else ""))

    return parse


clock_time = matching(_TIME, "a time of day", '"HH:MM", 00:00 to 23:59', empty=True)
week_time = matching(
    f"(?:{'|'.join(WEEKDAYS)}) {_TIME}", "a time of the week", '"Sun 10:00", Mon to Sun', empty=True
)
sha256 = matching(r"[0-9a-fA-F]{64}", "a SHA-256 checksum", "64 hexadecimal digits", empty=True)
channel = matching(
    r"stable|latest|[0-9][0-9A-Za-z.]*", "a channel or version", '"stable", "latest" or as "10.45.1j"'
)
client_id = matching(r"[0-9]{1,9}", "a client id", 'digits in quotes, as "7"', empty=True)


def quiet_hours(value: Any) -> str:
    """ "22:00-07:00", "" for none."""
    if value == "":
        return ""
    match = re.fullmatch(f"({_TIME})-({_TIME})", value) if isinstance(value, str) else None
    if not match or match[1] == match[2]:
        raise Wrong("a span of the day", '"22:00-07:00", or ""')
    return match[0]


def heap(value: Any) -> str:
    match = re.fullmatch(r"([0-9]{1,6})([mMgG])", value) if isinstance(value, str) else None
    if not match or int(match[1]) * (1024 if match[2] in "gG" else 1) < 128:
        raise Wrong("a heap size", '"768m" or "2g", 128m or more')
    return match[0]


def size(value: Any) -> tuple[int, int]:
    """(width, height) in px."""
    match = re.fullmatch(r"([0-9]{3,4})x([0-9]{3,4})", value) if isinstance(value, str) else None
    if not match or int(match[1]) < 640 or int(match[2]) < 480:
        raise Wrong("a screen size", '"1024x768", 640x480 or more')
    return int(match[1]), int(match[2])


def duration(value: Any) -> float | None:
    """Seconds, None for ""."""
    if value == "":
        return None
    match = re.fullmatch(rf"([0-9]{{1,6}}) ?({'|'.join(_UNITS)})", value) if isinstance(value, str) else None
    if not match:
        raise Wrong("a duration", '"15min", with s, min, h or d, or ""')
    return float(int(match[1]) * _UNITS[match[2]])


def command(value: Any) -> str:
    """A command line, "" for none; it is split as a shell would, and run without one."""
    result = line(value)
    try:
        shlex.split(result)
    except ValueError:
        raise Wrong("a command line", "every quotation mark needs its second one") from None
    return result


def zone(value: Any) -> str:
    """A name of the tz database; "" for none."""
    from difflib import get_close_matches
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

    if value == "":
        return ""
    try:
        # A fixed UTC always exists; a system without tzdata knows nothing else, and cannot judge.
        if isinstance(value, str) and (ZoneInfo(value) or True):
            return value
    except (ZoneInfoNotFoundError, ValueError, OSError):
        names = available_timezones()
        if not names and re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", value):
            return str(value)
        near = get_close_matches(value, names, n=1)
        if near:
            raise Wrong("a time zone", f'did you mean "{near[0]}"?') from None
    raise Wrong("a time zone", 'a name of the tz database, as "America/New_York"')


def address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(text(value)))
    except (ValueError, Wrong):
        raise Wrong(
            "an address to listen on", '"127.0.0.1", "0.0.0.0" (everywhere), or one of this host'
        ) from None


def network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text(value))
    except (ValueError, Wrong):
        pass
    try:
        near = f'did you mean "{ipaddress.ip_network(value, strict=False)}"?'
    except ValueError:
        near = '"192.168.1.0/24" or "192.168.1.7"'
    raise Wrong("a network", near)


def ip(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(text(value)))
    except (ValueError, Wrong):
        raise Wrong("an IP address", 'as "192.168.1.7"') from None


def list_of(item: Parser) -> Parser:
    def parse(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Wrong("a list", 'in brackets: ["…", "…"]')
        return tuple(item(each) for each in value)

    return parse


def names_or_boolean(value: Any) -> bool | tuple[str, ...]:
    if isinstance(value, bool):
        return value
    if isinstance(value, list) and all(isinstance(each, str) and each for each in value):
        return tuple(value)
    raise Wrong("true, false or a list of names", 'true, false or ["…", "…"]')


def boolean_or_leave(value: Any) -> bool | None:
    if value == "":
        return None
    if isinstance(value, bool):
        return value
    raise Wrong("true, false or nothing", 'true, false or "" (leave as it is)')


def url(*schemes: str) -> Parser:
    def parse(value: Any) -> str:
        allowed = f'{" or ".join(f"{scheme}://…" for scheme in schemes)}, or ""'
        if value == "":
            return ""
        if not isinstance(value, str) or not value.isprintable() or " " in value:
            raise Wrong("a URL", allowed)
        scheme, _, rest = value.partition(":")
        if scheme not in schemes or not rest.startswith("//") or not rest.strip("/"):
            raise Wrong("a URL", allowed)
        if scheme == "file" and not rest.startswith("///"):
            raise Wrong("a URL of a file of this host", "file:///absolute/path")
        return value

    return parse


def notify_url(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9]+s?://\S+", value):
        raise Wrong("an Apprise URL", 'as "ntfys://topic"')
    return value


def path(value: Any) -> Path | None:
    """An absolute path, None for ""."""
    if value == "":
        return None
    if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
        raise Wrong("a path", "an absolute one, from /")
    return Path(value)


def totp_secret(value: Any) -> str:
    """The base32 key as authenticator apps take it, without blanks and in capitals; "" for none."""
    key = re.sub(r"[\s-]", "", text(value)).upper()
    try:
        base64.b32decode(key + "=" * (-len(key) % 8))
    except ValueError:  # binascii.Error is one, and letters beyond ASCII are another
        raise Wrong("a TOTP key", "base32: letters A to Z and digits 2 to 7") from None
    return key.rstrip("=")
