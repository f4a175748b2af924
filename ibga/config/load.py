"""Read the layers of a configuration into a Config; report every mistake at once."""

from pathlib import Path

import tomli

from ibga.config.settings import Account, Config
from ibga.paths import Paths


def load(instance: str, *, root: Path = Path("/"), secrets: bool = False) -> Config:
    """Return the effective configuration of *instance*. Raises ConfigError with every mistake in it."""
    paths = Paths(instance, root)
    data = tomli.loads(paths.config_file.read_text())
    return Config(paths=paths, account=Account(username=data.get("account", {}).get("username", "")))


def load_for_service(instance: str, *, root: Path = Path("/"), secrets: bool = False) -> Config:
    """Like `load`; while the gateway runs, a broken configuration is warned of and the last good one used."""
    return load(instance, root=root, secrets=secrets)
