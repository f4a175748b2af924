"""`ibga config check`: the settings in effect, where each comes from, or every mistake."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ibga.cli import chosen
from ibga.config import ConfigError
from ibga.config.load import Loaded, examine
from ibga.config.schema import NOT_USED_YET, SCHEMA, SECRET, default_of
from ibga.config.values import shown
from ibga.errors import Exit
from ibga.paths import Paths

#: Where systemd looks for LoadCredential= with a bare name, and `systemd-creds` puts encrypted ones.
_CREDENTIAL_STORES = ("etc/credstore", "run/credstore", "etc/credstore.encrypted", "run/credstore.encrypted")


def check(options: argparse.Namespace, root: Path) -> Exit:
    """Print all of each instance; EX_CONFIG when any has a mistake."""
    code = Exit.OK
    for name in chosen(options, root):
        try:
            loaded = examine(name, root=root, environ=os.environ)
        except ConfigError as error:
            count = len(error.mistakes)
            print(f"{name}: {count} mistake{'s' if count > 1 else ''}", file=sys.stderr)
            for mistake in error.mistakes:
                print(f"  {mistake}", file=sys.stderr)
            code = Exit.CONFIG
            continue
        print("\n".join(lines(loaded, root)))
    return code


def lines(loaded: Loaded, root: Path) -> Iterator[str]:
    paths = loaded.config.paths
    yield f"# {paths.instance}: no mistakes"
    for table, keys in SCHEMA.items():
        yield f"[{table}]"
        for key in keys:
            setting = loaded.settings.get((table, key))
            raw = setting.raw if setting else default_of(table, key)
            value = '"***"' if (table, key) in SECRET and raw else shown(raw)
            origin = setting.origin if setting else "default"
            unused = ", not used by this version" if setting and (table, key) in NOT_USED_YET else ""
            yield f"{f'{key} = {value}':<40} # {origin}{unused}"
    for warning in (*loaded.warnings, *_without_secret(loaded, paths, root)):
        yield f"# warning: {warning}"


def _without_secret(loaded: Loaded, paths: Paths, root: Path) -> Iterator[str]:
    """Say what the automator will miss, unless a credential store has it (who looks may not see them all)."""
    for key, credential in (("username", "username"), ("password", "password")):
        given = (loaded.settings.get(("account", name)) for name in (key, f"{key}_file"))
        name = f"ibga.{paths.instance}.{credential}"
        if any(each and each.raw for each in given):
            continue
        try:
            stored = any((root / store / name).exists() for store in _CREDENTIAL_STORES)
        except PermissionError:
            stored = False
        if not stored:
            yield f"account.{key} is not set, and no credential store has {name}"
