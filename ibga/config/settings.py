"""The records of a configuration, one field a documented key, with its default.

Built once by ibga.config.load; a service is given a Config and reads no environment.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from ibga.paths import Paths


class Mode(StrEnum):
    """Trading mode."""

    PAPER = "paper"
    LIVE = "live"


class Tab(StrEnum):
    """API type, the toggle at the top of the login frame."""

    IB_API = "IB API"
    FIX_CTCI = "FIX CTCI"


class Region(StrEnum):
    UNSET = ""
    AMERICA = "America"
    EUROPE = "Europe"
    ASIA = "Asia"
    CHINA = "China"


class ExistingSession(StrEnum):
    TAKE_OVER = "take-over"
    YIELD = "yield"
    ASK = "ask"


class Input(StrEnum):
    """How the gateway's windows are operated."""

    AUTO = "auto"  # XTEST first, the agent where XTEST had no effect
    XTEST = "xtest"
    AGENT = "agent"


class LogLevel(StrEnum):
    SYSTEM = "System"
    ERROR = "Error"
    WARNING = "Warning"
    INFO = "Info"
    DETAIL = "Detail"


class ApiLog(StrEnum):
    OFF = "off"
    ON = "on"
    DATA = "data"


class Incoming(StrEnum):
    """Answer to "Accept incoming connection attempt?"."""

    LOCAL = "local"  # yes to 127.0.0.1, else no
    ACCEPT = "accept"
    REJECT = "reject"
    ASK = "ask"


class WriteAccess(StrEnum):
    """The notice that a client wanted to write to a read-only API."""

    CLOSE = "close"
    ASK = "ask"


class Notice(StrEnum):
    ACCEPT = "accept"
    DISMISS = "dismiss"
    ASK = "ask"


class SecondFactorMethod(StrEnum):
    AUTO = "auto"
    IB_KEY = "ib-key"
    TOTP = "totp"
    PASSKEY = "passkey"
    COMMAND = "command"
    MANUAL = "manual"


class OnTimeout(StrEnum):
    RETRY = "retry"
    WAIT = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    username: str = ""
    mode: Mode = Mode.PAPER
    # Secrets are here only in the one service that needs them (load(..., secrets=True)); else None.
    password: str | None = field(default=None, repr=False)
    totp_secret: str | None = field(default=None, repr=False)
    fix_username: str = ""
    fix_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    tab: Tab = Tab.IB_API
    region: Region = Region.UNSET
    timezone: str = ""  # tz database name; "" leaves what the gateway has
    existing_session: ExistingSession = ExistingSession.TAKE_OVER
    take_back_after: float | None = None  # s; None: at once under take-over, never under yield
    budget: int = 8  # login attempts per user and 24 h
    input: Input = Input.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    method: SecondFactorMethod = SecondFactorMethod.AUTO
    code_command: str = ""
    device: str = ""
    on_timeout: OnTimeout = OnTimeout.RETRY
    quiet_hours: str = ""  # "22:00-07:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    channel: str = "stable"  # stable | latest | an exact installed version
    installer_url: str = ""  # https, http or file; overrides channel
    installer_sha256: str = ""  # hex
    java_heap: str = "768m"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    port: int = 4000  # TCP, public
    listen: str = "127.0.0.1"  # address to bind
    allow: tuple[IPv4Network | IPv6Network, ...] = ()  # empty: everyone who reaches `listen`
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    internal_port: int = 9000  # the port IBG itself listens on
    read_only: bool = False
    log: ApiLog = ApiLog.OFF
    log_level: LogLevel = LogLevel.ERROR
    master_client_id: str = ""
    localhost_only: bool = True
    trusted_ips: tuple[str, ...] = ()
    incoming: Incoming = Incoming.LOCAL
    write_access: WriteAccess = WriteAccess.CLOSE
    bypass_precautions: bool | tuple[str, ...] = False
    market_data_in_lots: bool | None = None  # None: leave
    reset_order_ids: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    restart: str = "23:55"  # HH:MM in the gateway's time zone
    logoff: str = ""
    cold_restart: str = ""  # "Sun 10:00"
    close: str = ""  # "Fri 23:00"
    start: str = ""  # "Mon 06:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings:
    width: int = 1024  # px; `size = "1024x768"`
    height: int = 768


@dataclass(frozen=True, slots=True, kw_only=True)
class VncSettings:
    enabled: bool = True
    listen: str = "127.0.0.1"
    port: int = 5800
    password_file: Path | None = None
    view_only: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsSettings:
    export: bool = False
    directory: str = ""
    keep_days: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    bid_ask: Notice = Notice.ACCEPT
    password: Notice = Notice.ASK
    blind_trading: Notice = Notice.ASK
    crypto: Notice = Notice.ASK
    advisor: Notice = Notice.ASK
    order: Notice = Notice.ASK


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    urls: tuple[str, ...] = field(default=(), repr=False)  # Apprise URLs hold tokens
    heartbeat_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything one instance is told. *paths* says where its files are."""

    paths: Paths
    account: Account = Account()
    login: Login = Login()
    second_factor: SecondFactor = SecondFactor()
    gateway: GatewaySettings = GatewaySettings()
    api: ApiSettings = ApiSettings()
    schedule: Schedule = Schedule()
    display: DisplaySettings = DisplaySettings()
    vnc: VncSettings = VncSettings()
    logs: LogsSettings = LogsSettings()
    notices: Notices = Notices()
    notify: NotifySettings = NotifySettings()

    @property
    def instance(self) -> str:
        return self.paths.instance
