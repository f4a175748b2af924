"""Load the configuration of an instance; report every mistake at once (design section 4)."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ibga.config.assemble import build, with_files
from ibga.config.checks import contradictions, doubts, missing_secrets, ports_of, same_ports, shared_ports
from ibga.config.last_good import gateway_runs, keep_config, last_good
from ibga.config.layers import (
    RESERVED,
    ConfigError,
    Layer,
    Mistake,
    merge,
    read_credentials,
    read_layers,
)
from ibga.config.settings import Config
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths

log = logging.getLogger("ibga.config")

_NOTHING: Mapping[str, str] = MappingProxyType({})


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
        last = last_good(paths, secrets=secrets, environ=environ) if gateway_runs(paths) else None
        if last is None:
            raise
        log.warning("the configuration is wrong; using the last good one, as the gateway runs:\n%s", error)
        return last
    for warning in loaded.warnings:
        log.warning("%s", warning)
    if keep:
        keep_config(paths, loaded.settings)
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
    layers, whole = read_layers(paths, environ, mistakes, warnings)
    if not whole:  # what is left would be judged by defaults that nobody meant
        raise ConfigError(mistakes)
    merged = merge(layers, mistakes)
    merged |= read_credentials(environ, mistakes)
    config = build(paths, with_files(merged, secrets, mistakes))
    wrong = {mistake.key for mistake in mistakes}
    ports = [each for each in ports_of(config) if each[0] not in wrong]
    mistakes += same_ports(ports, merged, paths)
    mistakes += shared_ports(ports, paths, environ)
    mistakes += contradictions(config, merged)
    if secrets:
        mistakes += missing_secrets(config)
    if mistakes:
        raise ConfigError(mistakes)
    return Loaded(config, merged, (*warnings, *doubts(config)))
