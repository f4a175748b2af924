"""The environment layer: the variables of the bash IBGA container, with their meaning (guide 9.1).

A pure function over a mapping; who calls it decides where the mapping comes from.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from ibga.config.values import Wrong

#: Taken in any capitals: the bash IBGA compared them literally and waited in silence (guide 9.2).
_LOGIN_TYPES = {"live trading": "live", "paper trading": "paper"}
_LOGIN_TABS = {"ib api": "IB API", "fix ctci": "FIX CTCI"}
_TRUE = ("true", "yes", "y", "1", "on")
_FALSE = ("false", "no", "n", "0", "off")


def _word(words: Mapping[str, str]) -> Callable[[str], str]:
    def convert(value: str) -> str:
        if value.lower() not in words:
            raise Wrong("one of the choices", ", ".join(f'"{word.title()}"' for word in words))
        return words[value.lower()]

    return convert


def _login_tab(value: str) -> str:
    if value.lower() not in _LOGIN_TABS:
        raise Wrong("one of the choices", ", ".join(f'"{tab}"' for tab in _LOGIN_TABS.values()))
    return _LOGIN_TABS[value.lower()]


def _number(value: str) -> int | str:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else value  # else the key's own parser complains


def _truth(value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise Wrong("a truth value", "true or false")


def _api_log(value: str) -> str:
    """Any value turns it on, `data` adds market data (guide 9.1)."""
    return "data" if value.lower() == "data" else "on"


def _half_day(value: str) -> str:
    """ "hh:mm AM/PM" as "HH:MM"."""
    match = re.fullmatch(r"(0?[1-9]|1[0-2]):([0-5][0-9]) ?([AaPp])[Mm]", value)
    if not match:
        raise Wrong("a time of day", '"hh:mm AM" or "hh:mm PM", as "11:55 PM"')
    hour = int(match[1]) % 12 + (12 if match[3] in "Pp" else 0)
    return f"{hour:02}:{match[2]}"


def _capital(value: str) -> str:
    return value.capitalize()


def _zone(value: str) -> str:
    return value.replace(" ", "_")  # the login frame writes "America/New York" (guide 3.2)


def _ib_key(value: str) -> str:
    return "ib-key" if _truth(value) else "auto"


def _same(value: str) -> str:
    return value


#: variable: (table, key, how its text becomes the key's value)
VARIABLES: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "IB_USERNAME": ("account", "username", _same),
    "IB_PASSWORD": ("account", "password", _same),
    "IB_PASSWORD_FILE": ("account", "password_file", _same),
    "IB_LOGINTYPE": ("account", "mode", _word(_LOGIN_TYPES)),
    "TOTP_KEY": ("account", "totp_secret", _same),
    "TOTP_KEY_FILE": ("account", "totp_secret_file", _same),
    "IB_LOGINTAB": ("login", "tab", _login_tab),
    "IB_REGION": ("login", "region", _capital),
    "IB_TIMEZONE": ("login", "timezone", _zone),
    "IB_PREFER_IBKEY": ("second_factor", "method", _ib_key),
    "IBG_DOWNLOAD_URL": ("gateway", "installer_url", _same),
    "IBG_PORT": ("api", "port", _number),
    "IBG_PORT_INTERNAL": ("api", "internal_port", _number),
    "IB_READONLY": ("api", "read_only", _truth),
    "IB_APILOG": ("api", "log", _api_log),
    "IB_LOGLEVEL": ("api", "log_level", _capital),
    "IB_LOGOFF": ("schedule", "restart", _half_day),
    "IBGA_VNC_PASSWORD_FILE": ("vnc", "password_file", _same),
    "IBGA_EXPORT_LOGS": ("logs", "export", _truth),
    "IBGA_LOG_EXPORT_DIR": ("logs", "directory", _same),
}
#: Variables of the bash IBGA that have no key, and why that is right or what to do.
WITHOUT_KEY = {
    "IBG_DIR": "programs are kept under /var/lib/ibga/programs",
    "IBG_SETTINGS_DIR": "settings are kept under /var/lib/ibga",
    "IBGA_RECONNECT_INTERVAL": "set login.existing_session and login.take_back_after",
}


def convert(name: str, value: str) -> tuple[str, str, Any]:
    """Return (table, key, value) of the variable *name* of VARIABLES; raises Wrong."""
    table, key, how = VARIABLES[name]
    return table, key, how(value)


def parse_lines(content: str) -> dict[str, str]:
    """The variables of `/etc/ibga/environment`: KEY=VALUE lines, `#` comments; raises Wrong with the line.

    A value is taken as it stands; one pair of surrounding quotes is removed.
    """
    result = {}
    for number, row in enumerate(content.splitlines(), 1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        name, equals, value = row.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            raise Wrong(f"line {number}", "KEY=VALUE, one a line")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        result[name.strip()] = value
    return result
