"""What is wrong, or doubtful, about values that are each right by themselves."""

from collections.abc import Mapping

from ibga.config import settings
from ibga.config.assemble import build, with_files
from ibga.config.layers import Layer, Mistake, instances, merge, read_layers
from ibga.config.settings import Config, Tab
from ibga.errors import IbgaError
from ibga.paths import Paths

TOTP_KEY = 16  # letters of base32, 80 bits: no authenticator's key has fewer


def _where(merged: Layer, paths: Paths, table: str, key: str) -> str:
    setting = merged.get((table, key))
    return setting.where if setting else f"{paths.config_file}: {table}.{key} (default)"


def contradictions(config: Config, merged: Layer) -> list[Mistake]:
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
    if config.login.tab == settings.Tab.FIX_CTCI and config.api.read_only:
        found.append(
            Mistake(
                f'{where("api", "read_only")} = true with login.tab = "FIX CTCI"',
                "the settings are out of reach there: give the user no right to trade, at IB's site",
            )
        )
    return found


def same_ports(ports: list[tuple[str, str, int]], merged: Layer, paths: Paths) -> list[Mistake]:
    found = []
    for index, (key, address, port) in enumerate(ports):
        for other, other_address, other_port in ports[:index]:
            if port == other_port and overlap(address, other_address):
                mine, theirs = (_where(merged, paths, *each.split(".")) for each in (key, other))
                found.append(Mistake(f"{mine} = {port} is the same port as {theirs}", "one port for each"))
    return found


def ports_of(config: Config) -> list[tuple[str, str, int]]:
    """(key, address, port) of everything that this instance listens on."""
    found = [
        ("api.internal_port", "::", config.api.internal_port),  # IBG binds every address (guide 8.1)
        ("api.port", config.api.listen, config.api.port),
    ]
    if config.vnc.enabled:
        found.append(("vnc.port", config.vnc.listen, config.vnc.port))
    return found


def overlap(one: str, other: str) -> bool:
    return one == other or bool({"0.0.0.0", "::"} & {one, other})


def shared_ports(
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
            layers, whole = read_layers(other_paths, environ, [], [])
            theirs = build(other_paths, with_files(merge(layers, []), False, []))
        except IbgaError:
            continue
        for key, address, port in ports:
            for other_key, other_address, other_port in ports_of(theirs) if whole else ():
                if port == other_port and overlap(address, other_address):
                    found.append(
                        Mistake(
                            f"{paths.config_file}: {key} = {port} is also {other_key} of {other_file}",
                            "every instance of a host needs ports of its own",
                        )
                    )
    return found


def missing_secrets(config: Config) -> list[Mistake]:
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
    live = config.account.mode is settings.Mode.LIVE
    if live and config.second_factor.method is settings.SecondFactorMethod.TOTP:
        needed["account.totp_secret"] = (
            account.totp_secret or "",
            'second_factor.method = "totp" needs account.totp_secret_file, or the credential ibga.totp',
        )
    return [Mistake(f"{file}: {key} is not set", hint) for key, (value, hint) in needed.items() if not value]


def doubts(config: Config) -> list[str]:
    """What may be meant so, and is worth a line."""
    found = []
    if config.api.listen in ("0.0.0.0", "::") and not config.api.allow and not config.api.tls_client_ca:
        found.append(
            f'api.listen = "{config.api.listen}" and api.allow is empty: who reaches the port can trade'
        )
    key = config.account.totp_secret
    if key and len(key) < TOTP_KEY:
        found.append(f"account.totp_secret has {len(key)} letters; a key of IB has 32")
    if config.vnc.enabled and config.vnc.listen in ("0.0.0.0", "::") and not config.vnc.password_file:
        found.append(
            f'vnc.listen = "{config.vnc.listen}" without vnc.password_file: who reaches it has the screen'
        )
    if config.gateway.installer_url.startswith("http:") and not config.gateway.installer_sha256:
        found.append("gateway.installer_url is plain http and gateway.installer_sha256 is not set")
    return found
