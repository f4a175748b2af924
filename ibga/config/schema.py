"""Every key that may be written into a configuration, and what is special about some."""

from typing import Any

from ibga.config import settings, values
from ibga.config.settings import Config
from ibga.config.values import Parser
from ibga.paths import Paths

#: Every key that may be written, and what its value may be.
SCHEMA: dict[str, dict[str, Parser]] = {
    "account": {
        "username": values.line,
        "password": values.line,
        "password_file": values.path,
        "mode": values.choice(settings.Mode),
        "totp_secret": values.totp_secret,
        "totp_secret_file": values.path,
        "fix_username": values.line,
        "fix_password": values.line,
        "fix_password_file": values.path,
    },
    "login": {
        "tab": values.choice(settings.Tab),
        "region": values.choice(settings.Region),
        "timezone": values.zone,
        "existing_session": values.choice(settings.ExistingSession),
        "take_back_after": values.duration,
        "budget": values.whole(1, 100, "a number of logins"),
        "input": values.choice(settings.Input),
    },
    "second_factor": {
        "method": values.choice(settings.SecondFactorMethod),
        "code_command": values.command,
        "device": values.line,
        "on_timeout": values.choice(settings.OnTimeout),
        "quiet_hours": values.quiet_hours,
    },
    "gateway": {
        "channel": values.channel,
        "installer_url": values.url("https", "http", "file"),
        "installer_sha256": values.sha256,
        "java_heap": values.heap,
    },
    "api": {
        "port": values.port,
        "listen": values.address,
        "allow": values.list_of(values.network),
        "tls_cert": values.path,
        "tls_key": values.path,
        "tls_client_ca": values.path,
        "internal_port": values.port,
        "read_only": values.boolean,
        "log": values.choice(settings.ApiLog),
        "log_level": values.choice(settings.LogLevel),
        "master_client_id": values.client_id,
        "localhost_only": values.boolean,
        "trusted_ips": values.list_of(values.ip),
        "incoming": values.choice(settings.Incoming),
        "write_access": values.choice(settings.WriteAccess),
        "bypass_precautions": values.names_or_boolean,
        "market_data_in_lots": values.boolean_or_leave,
        "reset_order_ids": values.boolean,
    },
    "schedule": {
        "restart": values.clock_time,
        "logoff": values.clock_time,
        "cold_restart": values.week_time,
        "close": values.week_time,
        "start": values.week_time,
    },
    "display": {"size": values.size},
    "vnc": {
        "enabled": values.boolean,
        "listen": values.address,
        "port": values.port,
        "password_file": values.path,
        "view_only": values.boolean,
        "tls_cert": values.path,
        "tls_key": values.path,
    },
    "logs": {
        "export": values.boolean,
        "directory": values.path,
        "keep_days": values.whole(1, 3650, "a number of days"),
    },
    "notices": {
        kind: values.choice(settings.Notice)
        for kind in ("bid_ask", "password", "blind_trading", "crypto", "advisor", "order")
    },
    "notify": {
        "urls": values.list_of(values.notify_url),
        "heartbeat_url": values.url("https", "http"),
    },
}
#: Never shown and never stored.
SECRET = {
    ("account", "password"),
    ("account", "totp_secret"),
    ("account", "fix_password"),
    ("notify", "urls"),
    ("notify", "heartbeat_url"),
}
#: Of each group one key counts: a higher layer that sets one takes the others of lower layers away.
EXCLUSIVE = (
    ("account", ("password", "password_file")),
    ("account", ("totp_secret", "totp_secret_file")),
    ("account", ("fix_password", "fix_password_file")),
    ("schedule", ("restart", "logoff")),
)
#: Credentials that systemd hands over, and the keys that they are.
CREDENTIALS = {
    "ibga.username": ("account", "username"),
    "ibga.password": ("account", "password"),
    "ibga.totp": ("account", "totp_secret"),
    "ibga.fix_password": ("account", "fix_password"),
}
#: Accepted and checked, but nothing acts on them in this version.
_API_LATER = (
    *("log", "log_level", "master_client_id", "trusted_ips", "incoming", "write_access"),
    *("bypass_precautions", "market_data_in_lots", "reset_order_ids"),
)
_TABLES_LATER = ("schedule", "logs", "notices", "notify")
NOT_USED_YET = frozenset(
    [
        *(("login", key) for key in ("existing_session", "take_back_after")),
        *(("api", key) for key in _API_LATER),
        *((table, key) for table in _TABLES_LATER for key in SCHEMA[table]),
    ]
)


def default_of(table: str, key: str) -> Any:
    """The value of a key that no layer sets, as one would write it."""
    if (table, key) == ("display", "size"):
        return f"{settings.DisplaySettings().width}x{settings.DisplaySettings().height}"
    value = getattr(getattr(Config(paths=Paths("")), table), key, None)
    return "" if value is None else list(value) if isinstance(value, tuple) else value
