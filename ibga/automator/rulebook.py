"""Read the rule book: dialogs.toml beside this file, and the operator's folder, which adds to it.

Reads: *.toml in /etc/ibga/dialogs.d. A rule of a shipped one's name overrides that one. A mistake is named
and costs no other rule; what it stands in is taken as it was when it was last right.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import tomli

from ibga.agent.report import fold
from ibga.automator.rules import Event, Rule
from ibga.config import Config
from ibga.runtime import State

BUILT_IN = Path(__file__).with_name("dialogs.toml")
MAX_FILE = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Mistake:
    source: str  # file
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


def load(
    built_in: Path, folder: Path, before: Iterable[Rule] = ()
) -> tuple[tuple[Rule, ...], tuple[Mistake, ...]]:
    """Return the rules in force, in their order, and the mistakes found.

    *before* are the rules that were in force: what is wrong now is taken from there. First come the
    shipped rules that keep hands off (no operator's rule for "Gateway" is to press the OK that cancels a
    login, guide 4.3), then the operator's, then the other shipped ones; the first that knows a window counts.
    """
    mistakes: list[Mistake] = []
    last = {(rule.source, rule.name): rule for rule in before}
    own: dict[str, Rule] = {}
    for file in _files(folder, mistakes):
        for rule in _read(file, mistakes, last):
            own.pop(rule.name, None)
            own[rule.name] = rule
    shipped = [rule for rule in _read(built_in, mistakes, last) if rule.name not in own]
    untouchable = [rule for rule in shipped if rule.ignore]
    return (*untouchable, *own.values(), *(rule for rule in shipped if not rule.ignore)), tuple(mistakes)


def _files(folder: Path, mistakes: list[Mistake]) -> list[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == ".toml")
    except FileNotFoundError:
        return []
    except OSError as error:
        mistakes.append(Mistake(str(folder), f"cannot be read: {error.strerror}"))
        return []
    return [path for path in found if not path.name.startswith(".")]


def _read(file: Path, mistakes: list[Mistake], last: dict[tuple[str, str], Rule]) -> list[Rule]:
    """Return the rules of *file*; of one that is no TOML those that it had."""
    source = str(file)
    entries = _entries(file, mistakes)
    if entries is None:
        return [rule for (where, _), rule in last.items() if where == source]
    rules: list[Rule] = []
    for number, entry in enumerate(entries, start=1):
        try:
            rules.append(replace(parse(entry), source=source))
        except ValueError as error:
            name = entry.get("name") if isinstance(entry, dict) else None
            known = last.get((source, str(name)))
            kept = "; the rule stays as it was" if known is not None else ""
            mistakes.append(Mistake(source, f"dialog {name or number}: {error}{kept}"))
            rules += [known] if known is not None else []
    return rules


def _entries(file: Path, mistakes: list[Mistake]) -> list[Any] | None:
    """Return what is in the [[dialog]] tables of *file*; None, and a mistake, where that cannot be told."""

    def wrong(text: str) -> None:
        mistakes.append(Mistake(str(file), text))

    try:
        content = file.read_bytes()
        if len(content) > MAX_FILE:
            raise ValueError(f"larger than {MAX_FILE} bytes")
        data = tomli.loads(content.decode())
    except OSError as error:
        wrong(f"cannot be read: {error.strerror}")
        return None
    except (ValueError, RecursionError) as error:  # TOML, UTF-8, size, and tables nested without end
        wrong(f"not TOML: {error}")
        return None
    entries = data.pop("dialog", [])
    for key in data:
        wrong(f"no such table: {key} (only [[dialog]])")
    if not isinstance(entries, list):
        wrong("dialog is one table (write [[dialog]], with two brackets)")
        return None
    return entries


def parse(entry: Any) -> Rule:
    """Return one [[dialog]] as a rule; raises ValueError with all that is wrong with it."""
    if not isinstance(entry, dict):
        raise ValueError("not a table")
    wrong: list[str] = []
    values: dict[str, Any] = {}
    for key, value in entry.items():
        reader = _FIELDS.get(key)
        if reader is None:
            wrong.append(_no_such_key(key))
            continue
        try:
            values[key] = reader(value)
        except ValueError as error:
            wrong.append(f"{key} = {value!r}: {error}")
    if not values.get("name"):
        wrong.append("no name")
    if not any(values.get(key) for key in _SIGNS):
        wrong.append(f"nothing to know it by (one of {', '.join(_SIGNS)})")
    actions = [key for key in ("click", "close", "ignore", "person") if values.get(key)]
    if len(actions) != 1:
        wrong.append("not exactly one of click, close, ignore, person")
    if values.get("check") and actions != ["click"]:
        wrong.append("check goes with click only")
    if wrong:
        raise ValueError("; ".join(wrong))
    return Rule(**values)


def _no_such_key(key: str) -> str:
    near = difflib.get_close_matches(key, _FIELDS, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"no such key: {key} ({meant}known: {', '.join(_FIELDS)})"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _sign(value: Any) -> str:
    """A sign that is nothing but blanks is in every window."""
    if not fold(_text(value)):
        raise ValueError("empty, which every window has")
    return str(value)


def _pattern(value: Any) -> str:
    try:
        every = re.compile(_text(value), re.IGNORECASE).search("") is not None
    except (re.error, OverflowError, RecursionError) as error:  # also a{99999999999}, and nested without end
        raise ValueError(f"not a regular expression: {error}") from None
    if every:
        raise ValueError("matches the empty text, hence every window")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("neither true nor false")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if (
        not isinstance(found, list)
        or not found
        or not all(isinstance(each, str) and fold(each) for each in found)
    ):
        raise ValueError("neither a text nor a list of texts")
    return tuple(found)


def _states(value: Any) -> tuple[State, ...]:
    try:
        return tuple(State(each) for each in _texts(value))
    except ValueError:
        raise ValueError(f"not among the states {', '.join(State)}") from None


def _event(value: Any) -> Event:
    try:
        return Event(_text(value))
    except ValueError:
        raise ValueError(f"not one of {', '.join(Event)}") from None


def _settings(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError('not a table, as in { "api.incoming" = "local" }')
    result = []
    for key, wanted in value.items():
        table, _, name = key.partition(".")
        known = Config.__dataclass_fields__.get(table)
        if known is None or table in ("paths", "account") or not hasattr(known.default, name):
            raise ValueError(f"no such setting: {key}")
        default = getattr(known.default, name)
        if isinstance(default, StrEnum) and wanted not in [each.value for each in type(default)]:
            raise ValueError(f"{key} is never {wanted!r}, but one of {', '.join(type(default))}")
        result.append((key, str(wanted)))
    return tuple(result)


_SIGNS = (
    "title",
    "title_contains",
    "title_matches",
    "text_contains",
    "text_matches",
    "class_contains",
    "button",
)
_FIELDS: dict[str, Callable[[Any], Any]] = {
    "name": _text,
    "title": _sign,
    "title_contains": _sign,
    "title_matches": _pattern,
    "text_contains": _sign,
    "text_matches": _pattern,
    "class_contains": _sign,
    "button": _texts,
    "when": _states,
    "config": _settings,
    "asked": _flag,
    "check": _texts,
    "click": _texts,
    "close": _flag,
    "ignore": _flag,
    "person": _text,
    "then": _event,
    "warn": _text,
}
