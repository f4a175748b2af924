"""Read the layers of a configuration into a Config; report every mistake at once (design section 4).

From low to high: defaults of the records, /etc/ibga/defaults.toml, /etc/ibga/<instance>.toml, the
environment (/etc/ibga/environment, then the caller's), secrets from systemd credentials.
"""

import json
import logging
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tomli

from ibga import runtime
from ibga.config import settings, values
from ibga.config.environment import VARIABLES, WITHOUT_KEY, convert, parse_lines
from ibga.config.settings import Config, Tab
from ibga.config.values import Parser, Wrong, shown
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths

log = logging.getLogger("ibga.config")

_NOTHING: Mapping[str, str] = MappingProxyType({})
#: Names of files in /etc/ibga that are no instance's.
RESERVED = ("defaults",)

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
        "code_command": values.line,
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
_TABLES_LATER = ("second_factor", "schedule", "logs", "notices", "notify")
NOT_USED_YET = frozenset(
    [
        *(("account", key) for key in ("totp_secret", "totp_secret_file")),
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


@dataclass(frozen=True, slots=True)
class Mistake:
    message: str
    hint: str = ""
    key: str = field(default="", compare=False)  # "api.port", where its value could not be used

    def __str__(self) -> str:
        return f"{self.message} (hint: {self.hint})" if self.hint else self.message


class ConfigError(IbgaError):
    """Every mistake of a configuration; str() has one a line."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(dict.fromkeys(mistakes))
        first = self.mistakes[0]
        more = f" (and {len(self.mistakes) - 1} more)" if len(self.mistakes) > 1 else ""
        super().__init__(first.message + more, hint=first.hint, code=Exit.CONFIG)

    def __str__(self) -> str:
        return "\n".join(map(str, self.mistakes))


@dataclass(frozen=True, slots=True)
class Setting:
    """One key as some layer has it."""

    raw: Any = field(repr=False)  # as written
    value: Any = field(repr=False)  # as the record holds it
    where: str  # "/etc/ibga/main.toml: api.port", for messages
    origin: str  # "/etc/ibga/main.toml", "environment IBG_PORT", "default"


Layer = dict[tuple[str, str], Setting]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration, and where it came from."""

    config: Config
    settings: Layer = field(repr=False)  # every key that some layer sets, the effective one
    warnings: tuple[str, ...]


def load(
    instance: str, *, root: Path = Path("/"), secrets: bool = False, environ: Mapping[str, str] = _NOTHING
) -> Config:
    """Return the effective configuration of *instance*. Raises ConfigError with every mistake in it.

    Secrets are in it only with *secrets*. *environ* is the caller's environment: its variables count
    as the highest layer below the credentials, which CREDENTIALS_DIRECTORY in it names.
    """
    return examine(instance, root=root, secrets=secrets, environ=environ).config


def load_for_service(
    instance: str,
    *,
    root: Path = Path("/"),
    secrets: bool = False,
    environ: Mapping[str, str] = _NOTHING,
    keep: bool = False,
) -> Config:
    """Like `load`; while the gateway runs, a broken configuration is warned of and the last good one used.

    The last good one is config.json of the runtime directory, without secrets. The gateway service
    writes it (*keep*), because it is the one whose start made the session what it is.
    """
    paths = Paths(instance, root)
    try:
        loaded = examine(instance, root=root, secrets=secrets, environ=environ)
    except ConfigError as error:
        last = _last_good(paths, secrets=secrets, environ=environ) if _gateway_runs(paths) else None
        if last is None:
            raise
        log.warning("the configuration is wrong; using the last good one, as the gateway runs:\n%s", error)
        return last
    for warning in loaded.warnings:
        log.warning("%s", warning)
    if keep:
        _keep(paths, loaded.settings)
    return loaded.config


def examine(
    instance: str, *, root: Path = Path("/"), secrets: bool = False, environ: Mapping[str, str] = _NOTHING
) -> Loaded:
    """Load, and say where each value came from. Raises ConfigError; IbgaError for an unreadable file."""
    paths = Paths(instance, root)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", instance) or instance in RESERVED:
        raise IbgaError(
            f"{instance!r} is not an instance's name", hint="letters, digits, _ . -", code=Exit.USAGE
        )
    mistakes: list[Mistake] = []
    warnings: list[str] = []
    layers, whole = _layers(paths, environ, mistakes, warnings)
    if not whole:  # what is left would be judged by defaults that nobody meant
        raise ConfigError(mistakes)
    merged = _merge(layers, mistakes)
    merged |= _credentials(environ, mistakes)
    config = _build(paths, _with_files(merged, secrets, mistakes))
    wrong = {mistake.key for mistake in mistakes}
    ports = [each for each in _ports(config) if each[0] not in wrong]
    mistakes += _same_ports(ports, merged, paths)
    mistakes += _shared_ports(ports, paths, environ)
    mistakes += _contradictions(config, merged)
    if secrets:
        mistakes += _missing_secrets(config)
    if mistakes:
        raise ConfigError(mistakes)
    return Loaded(config, merged, (*warnings, *_doubts(config)))


# Layers


def _layers(
    paths: Paths, environ: Mapping[str, str], mistakes: list[Mistake], warnings: list[str]
) -> tuple[list[Layer], bool]:
    """The layers above the built-in defaults, from low to high, and whether all could be read in full."""
    found: list[Layer] = []
    whole = True
    content_of_instance = _content(paths.config_file)
    for file in (paths.config_dir / "defaults.toml", paths.config_file):
        content = _content(file)
        if content is not None:
            layer = _toml_layer(file, content, mistakes)
            whole &= layer is not None
            found.append(layer or {})
    file = paths.config_dir / "environment"
    content = _content(file)
    variables: Layer = {}
    if content is not None:
        try:
            variables |= _variables(parse_lines(content.decode()), str(file), mistakes, warnings)
        except UnicodeDecodeError:
            whole = False
            mistakes.append(Mistake(f"{file}: not UTF-8 text"))
        except Wrong as wrong:
            whole = False
            mistakes.append(Mistake(f"{file}: {wrong.what} is not an assignment", wrong.allowed))
        if any(name in SECRET for name in variables):
            mistakes += _readable_by_others(file)
    variables |= _variables(environ, "environment", mistakes, [])
    if content_of_instance is None and not variables:
        whole = False
        known = instances(paths.root)
        mistakes.append(
            Mistake(
                f"{paths.config_file}: no such file",
                f"there are: {', '.join(known)}" if known else "write it, beginning with [account]",
            )
        )
    return [*found, variables], whole


def instances(root: Path = Path("/")) -> list[str]:
    """Names of the instances that have a file in /etc/ibga."""
    return sorted(
        file.stem
        for file in (root / "etc/ibga").glob("*.toml")
        if file.stem not in RESERVED and file.stem[0] != "."
    )


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except PermissionError:
        raise IbgaError(
            f"cannot read {file}: permission denied",
            hint="it is for root and the group ibga: are you in it?",
            code=Exit.NO_PERMISSION,
        ) from None
    except OSError as error:
        raise IbgaError(f"cannot read {file}: {error.strerror}", code=Exit.CONFIG) from error


def _toml_layer(file: Path, content: bytes, mistakes: list[Mistake]) -> Layer | None:
    """What *content* sets; None when it is no TOML."""
    try:
        data = tomli.loads(content.decode())
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        mistakes.append(Mistake(f"{file}: not UTF-8 text (at line {number})"))
        return None
    except tomli.TOMLDecodeError as error:
        last = len(content.splitlines())
        problem = str(error).replace("at end of document", f"at line {last}, the last")
        mistakes.append(Mistake(f"{file}: not TOML: {problem}", 'a line is `key = "value"` or `[table]`'))
        return None
    layer: Layer = {}
    for table, keys in data.items():
        if table not in SCHEMA:
            mistakes.append(_unknown_table(file, table, keys))
        elif not isinstance(keys, dict):
            mistakes.append(
                Mistake(f"{file}: {table} is not a table", f"write [{table}] on a line of its own")
            )
        else:
            for key, raw in keys.items():
                if key not in SCHEMA[table]:
                    mistakes.append(_unknown_key(file, table, key))
                else:
                    _add(layer, table, key, raw, f"{file}: {table}.{key}", str(file), mistakes)
    if any(name in SECRET and layer[name].raw for name in layer):
        mistakes += _readable_by_others(file)
    return layer


def _add(
    layer: Layer, table: str, key: str, raw: Any, where: str, origin: str, mistakes: list[Mistake]
) -> None:
    try:
        layer[table, key] = Setting(raw, SCHEMA[table][key](raw), where, origin)
    except Wrong as wrong:
        value = "…" if (table, key) in SECRET else shown(raw)
        mistakes.append(Mistake(f"{where} = {value} is not {wrong.what}", wrong.allowed, f"{table}.{key}"))


def _unknown_table(file: Path, table: str, content: object) -> Mistake:
    if not isinstance(content, dict):
        home = [name for name, keys in SCHEMA.items() if table in keys]
        hint = f"it belongs below [{home[0]}]" if home else f"tables are: {', '.join(SCHEMA)}"
        return Mistake(f"{file}: {table} stands above every table", hint)
    near = get_close_matches(table, SCHEMA, n=1)
    hint = f"did you mean [{near[0]}]?" if near else f"there are: {', '.join(SCHEMA)}"
    return Mistake(f"{file}: no such table [{table}]", hint)


def _unknown_key(file: Path, table: str, key: str) -> Mistake:
    near = get_close_matches(key, SCHEMA[table], n=1)
    home = [name for name, keys in SCHEMA.items() if key in keys]
    if near:
        hint = f"did you mean {table}.{near[0]}?"
    elif home:
        hint = f"it belongs below [{home[0]}]"
    else:
        hint = f"[{table}] has: {', '.join(SCHEMA[table])}"
    return Mistake(f"{file}: no such key {table}.{key}", hint)


def _variables(
    environ: Mapping[str, str], source: str, mistakes: list[Mistake], warnings: list[str]
) -> Layer:
    layer: Layer = {}
    for name, text in environ.items():
        where = f"{source}: {name}"
        if name == "IBGA_VNC_PASSWORD" and text:
            # Passing over it would leave the screen open to everybody.
            mistakes.append(Mistake(f"{where} is not read", "name a file in IBGA_VNC_PASSWORD_FILE"))
        elif name in WITHOUT_KEY and text:
            warnings.append(f"{where} has no effect: {WITHOUT_KEY[name]}")
        elif name in VARIABLES and text:
            try:
                table, key, raw = convert(name, text)
            except Wrong as wrong:
                mistakes.append(Mistake(f"{where} = {shown(text)} is not {wrong.what}", wrong.allowed))
                continue
            _add(layer, table, key, raw, where, f"{source}: {name}", mistakes)
        elif name not in VARIABLES and re.match("IBG?A?_", name):
            near = get_close_matches(name, VARIABLES, n=1)
            warnings.append(f"{where} is unknown" + (f" (hint: did you mean {near[0]}?)" if near else ""))
    return layer


def _merge(layers: Iterable[Layer], mistakes: list[Mistake]) -> Layer:
    merged: Layer = {}
    for layer in layers:
        for table, keys in EXCLUSIVE:
            given = [layer[table, key] for key in keys if (table, key) in layer and layer[table, key].raw]
            if len(given) > 1:
                mistakes.append(
                    Mistake(f"{given[0].where} and {given[1].where} are both set", "keep one of them")
                )
            if given:
                for key in keys:
                    nothing = SCHEMA[table][key]("")
                    merged[table, key] = Setting("", nothing, given[0].where, given[0].origin)
        merged |= layer
    return merged


def _credentials(environ: Mapping[str, str], mistakes: list[Mistake]) -> Layer:
    """The secrets that systemd handed over (systemd.exec(5), LoadCredential=)."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    layer: Layer = {}
    for name, (table, key) in CREDENTIALS.items() if directory else ():
        file = Path(directory, name)
        try:
            content = _secret(file.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, Wrong) as error:
            what = error.what if isinstance(error, Wrong) else error.strerror
            mistakes.append(Mistake(f"credential {name}: {what}"))
            continue
        if content:
            _add(layer, table, key, content, f"credential {name}", f"credential {name}", mistakes)
            if (table, f"{key}_file") in {(t, k) for t, keys in SCHEMA.items() for k in keys}:
                layer[table, f"{key}_file"] = Setting("", None, f"credential {name}", f"credential {name}")
    return layer


def _secret(content: bytes) -> str:
    """The text of a secret's file: any Unicode kept, one trailing newline not."""
    try:
        return re.sub(r"\r?\n\Z", "", content.decode())
    except UnicodeDecodeError:
        raise Wrong("not UTF-8 text", "") from None


# Values together


def _with_files(merged: Layer, secrets: bool, mistakes: list[Mistake]) -> Layer:
    """*merged* with the secrets in place of the names of their files, or without any secret of the account.

    The files are looked at in either case, so that a mistake shows before the one service starts
    that needs them. One that this user may not read is passed over, unless the secret is needed.
    """
    result = dict(merged)
    for key in ("password", "totp_secret", "fix_password"):
        name = ("account", key)
        source = result.pop(("account", f"{key}_file"), None)
        if source and source.value:
            content = _checked_file(source, source.value, needed=secrets, secret=True, mistakes=mistakes)
            result.pop(name, None)
            if content is not None:
                _add_secret(result, key, content, source, mistakes)
        if not secrets:
            result.pop(name, None)
    for name in (("vnc", "password_file"), ("api", "tls_key"), ("vnc", "tls_key")):
        if name in result and result[name].value:
            _checked_file(result[name], result[name].value, needed=False, secret=True, mistakes=mistakes)
    for name in (("api", "tls_cert"), ("api", "tls_client_ca"), ("vnc", "tls_cert")):
        if name in result and result[name].value:
            _checked_file(result[name], result[name].value, needed=False, secret=False, mistakes=mistakes)
    return result


def _checked_file(
    setting: Setting, file: Path, *, needed: bool, secret: bool, mistakes: list[Mistake]
) -> bytes | None:
    """The content of *file*, or None with or (where it is not *needed* here) without a mistake."""
    where = f"{setting.where} = {shown(str(file))}"
    try:
        content = file.read_bytes()
    except PermissionError:
        if needed:
            mistakes.append(Mistake(f"{where}: permission denied", f"chgrp ibga {file}; chmod 640 {file}"))
        return None
    except OSError as error:
        mistakes.append(Mistake(f"{where}: {error.strerror}"))
        return None
    if secret:
        mistakes += _readable_by_others(file)
    if not content.strip():
        mistakes.append(Mistake(f"{where}: the file is empty"))
    return content


def _add_secret(layer: Layer, key: str, content: bytes, source: Setting, mistakes: list[Mistake]) -> None:
    try:
        raw = _secret(content)
        layer["account", key] = Setting(raw, SCHEMA["account"][key](raw), source.where, source.origin)
    except Wrong as wrong:
        what = wrong.what if wrong.what.startswith("not ") else f"its content is not {wrong.what}"
        mistakes.append(Mistake(f"{source.where} = {shown(source.raw)}: {what}", wrong.allowed))


def _readable_by_others(file: Path) -> list[Mistake]:
    mode = file.stat().st_mode
    if not mode & (stat.S_IROTH | stat.S_IWOTH):
        return []
    return [Mistake(f"{file} holds a secret and everybody can read it", f"chmod o-rwx {file}")]


def _build(paths: Paths, merged: Layer) -> Config:
    """The records from *merged*; a key that no layer sets keeps its record's default."""
    config = Config(paths=paths)
    for table in SCHEMA:
        fields: dict[str, Any] = {key: setting.value for (t, key), setting in merged.items() if t == table}
        if "size" in fields:
            fields["width"], fields["height"] = fields.pop("size")
        if table == "logs" and "directory" in fields:
            fields["directory"] = str(fields["directory"] or "")
        if table == "account":
            fields = {
                key: value or None if (table, key) in SECRET else value for key, value in fields.items()
            }
        config = replace(config, **{table: replace(getattr(config, table), **fields)})
    return config


def _where(merged: Layer, paths: Paths, table: str, key: str) -> str:
    setting = merged.get((table, key))
    return setting.where if setting else f"{paths.config_file}: {table}.{key} (default)"


def _contradictions(config: Config, merged: Layer) -> list[Mistake]:
    def where(table: str, key: str) -> str:
        return _where(merged, config.paths, table, key)

    found = []
    for table in ("api", "vnc"):
        record: settings.ApiSettings | settings.VncSettings = getattr(config, table)
        if (record.tls_cert is None) != (record.tls_key is None):
            there, missing = ("tls_cert", "tls_key") if record.tls_cert else ("tls_key", "tls_cert")
            found.append(
                Mistake(f"{where(table, there)} is set and {table}.{missing} is not", "TLS needs both")
            )
    if config.api.tls_client_ca and not config.api.tls_cert:
        found.append(
            Mistake(f"{where('api', 'tls_client_ca')} is set without TLS", "set api.tls_cert and api.tls_key")
        )
    if bool(config.schedule.close) != bool(config.schedule.start):
        there, missing = ("close", "start") if config.schedule.close else ("start", "close")
        found.append(
            Mistake(
                f"{where('schedule', there)} is set and schedule.{missing} is not",
                "the gateway stays away from close until start",
            )
        )
    if config.gateway.installer_sha256 and not config.gateway.installer_url:
        found.append(
            Mistake(
                f"{where('gateway', 'installer_sha256')} is set without gateway.installer_url",
                "it is the checksum of that file",
            )
        )
    if (
        config.second_factor.method == settings.SecondFactorMethod.COMMAND
        and not config.second_factor.code_command
    ):
        found.append(
            Mistake(
                f'{where("second_factor", "method")} = "command" without second_factor.code_command',
                "the command that prints a code",
            )
        )
    return found


def _same_ports(ports: list[tuple[str, str, int]], merged: Layer, paths: Paths) -> list[Mistake]:
    found = []
    for index, (key, address, port) in enumerate(ports):
        for other, other_address, other_port in ports[:index]:
            if port == other_port and _overlap(address, other_address):
                mine, theirs = (_where(merged, paths, *each.split(".")) for each in (key, other))
                found.append(Mistake(f"{mine} = {port} is the same port as {theirs}", "one port for each"))
    return found


def _ports(config: Config) -> list[tuple[str, str, int]]:
    """(key, address, port) of everything that this instance listens on."""
    found = [
        ("api.internal_port", "::", config.api.internal_port),  # IBG binds every address (guide 8.1)
        ("api.port", config.api.listen, config.api.port),
    ]
    if config.vnc.enabled:
        found.append(("vnc.port", config.vnc.listen, config.vnc.port))
    return found


def _overlap(one: str, other: str) -> bool:
    return one == other or bool({"0.0.0.0", "::"} & {one, other})


def _shared_ports(
    ports: list[tuple[str, str, int]], paths: Paths, environ: Mapping[str, str]
) -> list[Mistake]:
    """Ports that another instance of this host has, too."""
    found = []
    for other in instances(paths.root):
        if other == paths.instance:
            continue
        other_paths = Paths(other, paths.root)
        other_file = other_paths.config_file
        try:
            # What is wrong there is told there, hence lists that nobody reads.
            layers, whole = _layers(other_paths, environ, [], [])
            theirs = _build(other_paths, _with_files(_merge(layers, []), False, []))
        except IbgaError:
            continue
        for key, address, port in ports:
            for other_key, other_address, other_port in _ports(theirs) if whole else ():
                if port == other_port and _overlap(address, other_address):
                    found.append(
                        Mistake(
                            f"{paths.config_file}: {key} = {port} is also {other_key} of {other_file}",
                            "every instance of a host needs ports of its own",
                        )
                    )
    return found


def _missing_secrets(config: Config) -> list[Mistake]:
    account, file = config.account, config.paths.config_file
    needed = {
        "account.username": (account.username, "credential ibga.username"),
        "account.password": (account.password, "account.password_file, or the credential ibga.password"),
    }
    if config.login.tab == Tab.FIX_CTCI:  # the other login is for market data there, and optional (guide 3.2)
        needed = {
            "account.fix_username": (account.fix_username, "the login of FIX CTCI"),
            "account.fix_password": (account.fix_password, "account.fix_password_file, or ibga.fix_password"),
        }
    return [Mistake(f"{file}: {key} is not set", hint) for key, (value, hint) in needed.items() if not value]


def _doubts(config: Config) -> list[str]:
    """What may be meant so, and is worth a line."""
    found = []
    if config.api.listen in ("0.0.0.0", "::") and not config.api.allow and not config.api.tls_client_ca:
        found.append(
            f'api.listen = "{config.api.listen}" and api.allow is empty: who reaches the port can trade'
        )
    if config.vnc.enabled and config.vnc.listen in ("0.0.0.0", "::") and not config.vnc.password_file:
        found.append(
            f'vnc.listen = "{config.vnc.listen}" without vnc.password_file: who reaches it has the screen'
        )
    if config.gateway.installer_url.startswith("http:") and not config.gateway.installer_sha256:
        found.append("gateway.installer_url is plain http and gateway.installer_sha256 is not set")
    return found


# The last good configuration


def _keep(paths: Paths, merged: Layer) -> None:
    tables: dict[str, dict[str, Any]] = {}
    for (table, key), setting in merged.items():
        if (table, key) not in SECRET:
            tables.setdefault(table, {})[key] = setting.raw
    file = paths.runtime_dir / "config.json"
    temporary = file.with_name(f".{file.name}.new")
    try:
        temporary.write_text(json.dumps({"version": runtime.VERSION, "tables": tables}) + "\n")
        temporary.replace(file)
    except OSError as error:
        log.warning("cannot keep %s: %s", file, error.strerror)


def _last_good(paths: Paths, *, secrets: bool, environ: Mapping[str, str]) -> Config | None:
    """The configuration in config.json with the secrets of today; None where that is not enough."""
    file = paths.runtime_dir / "config.json"
    mistakes: list[Mistake] = []
    layer: Layer = {}
    try:
        data = json.loads(file.read_bytes())
        for table, keys in data["tables"].items():
            for key, raw in keys.items():
                _add(layer, table, key, raw, f"{file}: {table}.{key}", str(file), mistakes)
        now = _merge(_layers(paths, environ, [], [])[0], [])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IbgaError):
        return None
    for name in SECRET & now.keys():
        layer[name] = now[name]
    layer |= _credentials(environ, mistakes)
    config = _build(paths, _with_files(layer, secrets, mistakes))
    return None if mistakes or (secrets and _missing_secrets(config)) else config


def _gateway_runs(paths: Paths) -> bool:
    """Whether gateway.json names a living JVM."""
    try:
        gateway = runtime.read(paths.runtime_dir / "gateway.json", runtime.Gateway)
        return gateway is not None and gateway.pid is not None and _comm(gateway.pid) == "java"
    except IbgaError:
        return False


def _comm(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
