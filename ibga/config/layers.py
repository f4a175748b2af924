"""The layers of a configuration: what each sets, from where, and which one counts (design section 4).

From low to high: /etc/ibga/defaults.toml, /etc/ibga/<instance>.toml, the environment
(/etc/ibga/environment, then the caller's), secrets from systemd credentials.
"""

import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tomli

from ibga.config.environment import VARIABLES, WITHOUT_KEY, convert, parse_lines
from ibga.config.schema import CREDENTIALS, EXCLUSIVE, SCHEMA, SECRET
from ibga.config.values import Wrong, shown
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths

#: Names of files in /etc/ibga that are no instance's.
RESERVED = ("defaults",)


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


def read_layers(
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
            mistakes += readable_by_others(file)
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
                    add(layer, table, key, raw, f"{file}: {table}.{key}", str(file), mistakes)
    if any(name in SECRET and layer[name].raw for name in layer):
        mistakes += readable_by_others(file)
    return layer


def add(
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
            add(layer, table, key, raw, where, f"{source}: {name}", mistakes)
        elif name not in VARIABLES and re.match("IBG?A?_", name):
            near = get_close_matches(name, VARIABLES, n=1)
            warnings.append(f"{where} is unknown" + (f" (hint: did you mean {near[0]}?)" if near else ""))
    return layer


def merge(layers: Iterable[Layer], mistakes: list[Mistake]) -> Layer:
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


def read_credentials(environ: Mapping[str, str], mistakes: list[Mistake]) -> Layer:
    """The secrets that systemd handed over (systemd.exec(5), LoadCredential=)."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    layer: Layer = {}
    for name, (table, key) in CREDENTIALS.items() if directory else ():
        file = Path(directory, name)
        try:
            content = decode_secret(file.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, Wrong) as error:
            what = error.what if isinstance(error, Wrong) else error.strerror
            mistakes.append(Mistake(f"credential {name}: {what}"))
            continue
        if content:
            add(layer, table, key, content, f"credential {name}", f"credential {name}", mistakes)
            if (table, f"{key}_file") in {(t, k) for t, keys in SCHEMA.items() for k in keys}:
                layer[table, f"{key}_file"] = Setting("", None, f"credential {name}", f"credential {name}")
    return layer


def decode_secret(content: bytes) -> str:
    """The text of a secret's file: any Unicode kept, one trailing newline not."""
    try:
        return re.sub(r"\r?\n\Z", "", content.decode())
    except UnicodeDecodeError:
        raise Wrong("not UTF-8 text", "") from None


def readable_by_others(file: Path) -> list[Mistake]:
    mode = file.stat().st_mode
    if not mode & (stat.S_IROTH | stat.S_IWOTH):
        return []
    return [Mistake(f"{file} holds a secret and everybody can read it", f"chmod o-rwx {file}")]
