"""The last good configuration, config.json: for when a wrong one is written while the gateway runs."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ibga import runtime
from ibga.config.assemble import build, with_files
from ibga.config.checks import missing_secrets
from ibga.config.layers import Layer, Mistake, add, merge, read_credentials, read_layers
from ibga.config.schema import SECRET
from ibga.config.settings import Config
from ibga.errors import IbgaError
from ibga.paths import Paths

log = logging.getLogger("ibga.config")


def keep_config(paths: Paths, merged: Layer) -> None:
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


def last_good(paths: Paths, *, secrets: bool, environ: Mapping[str, str]) -> Config | None:
    """The configuration in config.json with the secrets of today; None where that is not enough."""
    file = paths.runtime_dir / "config.json"
    mistakes: list[Mistake] = []
    layer: Layer = {}
    try:
        data = json.loads(file.read_bytes())
        for table, keys in data["tables"].items():
            for key, raw in keys.items():
                add(layer, table, key, raw, f"{file}: {table}.{key}", str(file), mistakes)
        now = merge(read_layers(paths, environ, [], [])[0], [])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IbgaError):
        return None
    for name in SECRET & now.keys():
        layer[name] = now[name]
    layer |= read_credentials(environ, mistakes)
    config = build(paths, with_files(layer, secrets, mistakes))
    return None if mistakes or (secrets and missing_secrets(config)) else config


def gateway_runs(paths: Paths) -> bool:
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
