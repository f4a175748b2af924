"""What may be written into a configuration, which layer wins, and that every mistake is told at once."""

import json
import os
import pickle
import subprocess
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest

from ibga.config import Config, ConfigError, load, load_for_service
from ibga.config import load as load_config
from ibga.config.environment import parse_lines
from ibga.config.load import examine
from ibga.config.schema import NOT_USED_YET, SCHEMA, default_of
from ibga.config.settings import ApiLog, LogLevel, Mode, Region, SecondFactorMethod, Tab
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths
from ibga.runtime import Gateway, GatewayState, publish
from tests.support.deadline import wait_until


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write /etc/ibga/NAME (default main.toml) below the test's root, for its owner alone."""

    def write_file(text: str | bytes, name: str = "main.toml", mode: int = 0o600) -> Path:
        file = tmp_path / "etc/ibga" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        return file

    return write_file


def mistakes(root: Path, instance: str = "main", **more: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(instance, root=root, **more)  # type: ignore[arg-type]
    assert caught.value.code == Exit.CONFIG
    return str(caught.value).splitlines()


# Layers


def test_an_empty_file_means_the_documented_defaults(write: Callable[..., Path], tmp_path: Path) -> None:
    write("")

    config = load("main", root=tmp_path)

    assert config == Config(paths=Paths("main", tmp_path))
    assert (config.api.port, config.api.internal_port, config.vnc.port) == (4000, 9000, 5800)


def test_the_example_of_the_design_is_valid_in_full(write: Callable[..., Path], tmp_path: Path) -> None:
    lines = [
        f"[{table}]\n" + "".join(f"{key} = {json.dumps(default_of(table, key))}\n" for key in keys)
        for table, keys in SCHEMA.items()
    ]
    write("\n".join(lines))

    assert load("main", root=tmp_path) == Config(paths=Paths("main", tmp_path))


def test_each_layer_covers_the_one_below_it(write: Callable[..., Path], tmp_path: Path) -> None:
    write(
        "[api]\nport = 4100\ninternal_port = 9100\n[vnc]\nport = 5100\n[display]\nsize = '800x600'\n",
        "defaults.toml",
    )
    write("[api]\nport = 4200\ninternal_port = 9200\n[vnc]\nport = 5200\n")
    write("IBG_PORT=4300\nIBG_PORT_INTERNAL=9300\n", "environment")

    loaded = examine("main", root=tmp_path, environ={"IBG_PORT": "4400"})

    config = loaded.config
    assert (config.api.port, config.api.internal_port, config.vnc.port) == (4400, 9300, 5200)
    assert (config.display.width, config.display.height) == (800, 600)
    origins = {f"{table}.{key}": setting.origin for (table, key), setting in loaded.settings.items()}
    assert origins == {
        "api.port": "environment: IBG_PORT",
        "api.internal_port": f"{tmp_path}/etc/ibga/environment: IBG_PORT_INTERNAL",
        "vnc.port": f"{tmp_path}/etc/ibga/main.toml",
        "display.size": f"{tmp_path}/etc/ibga/defaults.toml",
    }


def test_values_arrive_in_the_types_of_the_records(write: Callable[..., Path], tmp_path: Path) -> None:
    write(
        '[account]\nmode = "live"\n[login]\ntake_back_after = "15min"\n'
        '[api]\nallow = ["10.0.0.0/8", "::1"]\nlog_level = "Detail"\nmarket_data_in_lots = true\n'
        'bypass_precautions = ["bonds"]\ntrusted_ips = ["192.168.1.7"]\n'
    )

    config = load("main", root=tmp_path)

    assert config.account.mode is Mode.LIVE
    assert config.login.take_back_after == 900.0
    assert config.api.allow == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert config.api.log_level is LogLevel.DETAIL
    assert config.api.market_data_in_lots is True
    assert config.api.bypass_precautions == ("bonds",)
    assert config.api.trusted_ips == ("192.168.1.7",)


def test_auto_log_off_takes_the_place_of_the_default_restart(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    write('[schedule]\nlogoff = "22:00"\n')

    schedule = load("main", root=tmp_path).schedule

    assert (schedule.restart, schedule.logoff) == ("", "22:00")


# Mistakes


def test_all_mistakes_are_told_at_once_with_what_is_allowed(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    file = write(
        'usernam = "x"\n[acount]\nx = 1\n[account]\nmode = "Paper"\n[login]\ntimezone = "America/NewYork"\n'
        '[api]\nport = "40o0"\nlistn = "x"\nusername = "x"\nallow = ["10.0.0.1/8"]\n'
    )

    assert mistakes(tmp_path) == [
        f"{file}: usernam stands above every table (hint: tables are: {', '.join(SCHEMA)})",
        f"{file}: no such table [acount] (hint: did you mean [account]?)",
        f'{file}: account.mode = "Paper" is not one of the choices (hint: "paper", "live")',
        f'{file}: login.timezone = "America/NewYork" is not a time zone'
        ' (hint: did you mean "America/New_York"?)',
        f'{file}: api.port = "40o0" is not a TCP port (hint: a number, 1 to 65535, without quotes)',
        f"{file}: no such key api.listn (hint: did you mean api.listen?)",
        f"{file}: no such key api.username (hint: it belongs below [account])",
        f'{file}: api.allow = ["10.0.0.1/8"] is not a network (hint: did you mean "10.0.0.0/8"?)',
    ]


WRONG = [
    ("account", "username", "7"),
    ("account", "username", '"two\\nlines"'),
    ("account", "password_file", '"relative"'),
    ("login", "take_back_after", '"15 minutes"'),
    ("login", "budget", "0"),
    ("login", "region", '"Africa"'),
    ("login", "timezone", '"../etc/passwd"'),
    ("second_factor", "quiet_hours", '"22-7"'),
    ("gateway", "channel", '"beta"'),
    ("gateway", "installer_url", '"ftp://host/file"'),
    ("gateway", "installer_url", '"file://relative"'),
    ("gateway", "installer_sha256", '"abc"'),
    ("gateway", "java_heap", '"768"'),
    ("gateway", "java_heap", '"64m"'),
    ("api", "port", "0"),
    ("api", "port", "65536"),
    ("api", "port", "true"),
    ("api", "port", "4000.0"),
    ("api", "listen", '"localhost"'),
    ("api", "listen", '"300.0.0.1"'),
    ("api", "allow", '"10.0.0.0/8"'),
    ("api", "read_only", '"yes"'),
    ("api", "master_client_id", '"one"'),
    ("api", "market_data_in_lots", '"yes"'),
    ("api", "bypass_precautions", "[1]"),
    ("schedule", "restart", '"11:55 PM"'),
    ("schedule", "restart", '"24:00"'),
    ("schedule", "cold_restart", '"Sunday 10:00"'),
    ("display", "size", '"1024"'),
    ("display", "size", '"320x200"'),
    ("logs", "keep_days", "-1"),
    ("notices", "bid_ask", '"yes"'),
    ("notify", "urls", '["nothing"]'),
    ("notify", "heartbeat_url", '"example.org"'),
]


@pytest.mark.parametrize(("table", "key", "value"), WRONG)
def test_a_wrong_value_names_file_and_key(
    write: Callable[..., Path], tmp_path: Path, table: str, key: str, value: str
) -> None:
    file = write(f"[{table}]\n{key} = {value}\n")

    (line,) = mistakes(tmp_path)

    assert line.startswith(f"{file}: {table}.{key} = ")
    assert " is not " in line
    assert "(hint: " in line


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b'[api]\nport = 4000\nport = "x', "(at line 3, the last)"),
        (b"[api]\nport = \n", "(at line 2, column 8)"),
        (b"[api]\n\xff", "not UTF-8 text (at line 2)"),
        (b"api = 3\n", "api is not a table"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_the_line(
    write: Callable[..., Path], tmp_path: Path, content: bytes, part: str
) -> None:
    file = write(content)

    (line,) = mistakes(tmp_path)

    assert line.startswith(f"{file}: ")
    assert part in line


def test_a_missing_file_names_the_instances_that_there_are(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    write("", "live.toml")
    write("", "defaults.toml")

    assert mistakes(tmp_path) == [f"{tmp_path}/etc/ibga/main.toml: no such file (hint: there are: live)"]


@pytest.mark.parametrize("name", ["../x", "defaults", "", ".hidden", "a b"])
def test_a_name_that_cannot_be_an_instance_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(IbgaError) as caught:
        load(name, root=tmp_path)
    assert caught.value.code == Exit.USAGE


def test_one_port_for_two_things_is_a_mistake(write: Callable[..., Path], tmp_path: Path) -> None:
    file = write("[api]\nport = 9000\n[vnc]\nport = 9000\n")

    lines = mistakes(tmp_path)

    assert f"{file}: api.port = 9000 is the same port as {file}: api.internal_port (default)" in lines[0]
    assert len(lines) == 3


def test_the_port_of_a_screen_that_is_off_is_free(write: Callable[..., Path], tmp_path: Path) -> None:
    write("[api]\nport = 5800\n[vnc]\nenabled = false\n")

    assert load("main", root=tmp_path).api.port == 5800


def test_ports_of_two_instances_must_differ(write: Callable[..., Path], tmp_path: Path) -> None:
    file = write("")
    other = write("[api]\nport = 4000\ninternal_port = 9001\n[vnc]\nport = 5801\n", "paper.toml")

    (line,) = mistakes(tmp_path)

    assert line.startswith(f"{file}: api.port = 4000 is also api.port of {other}")


def test_a_broken_file_of_another_instance_disturbs_nobody(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    write("")
    write("[api\n", "paper.toml")

    assert load("main", root=tmp_path).api.port == 4000


def test_a_port_that_could_not_be_read_is_not_taken_for_the_default(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    write("[api]\nport = '4001'\ninternal_port = 9001\n[vnc]\nport = 4000\n")

    (line,) = mistakes(tmp_path)

    assert "api.port" in line


def test_the_same_public_port_on_two_addresses_is_fine(write: Callable[..., Path], tmp_path: Path) -> None:
    write("")
    write('[api]\nlisten = "127.0.0.2"\ninternal_port = 9001\n[vnc]\nlisten = "127.0.0.2"\n', "paper.toml")

    assert load("main", root=tmp_path).api.port == 4000


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ('[api]\ntls_cert = "/etc/hostname"\n', "api.tls_key is not"),
        ('[vnc]\ntls_key = "FILE"\n', "vnc.tls_cert is not"),
        ('[api]\ntls_client_ca = "/etc/hostname"\n', "is set without TLS"),
        ('[account]\npassword = "x"\npassword_file = "FILE"\n', "are both set"),
        ('[account]\nfix_password = "x"\nfix_password_file = "FILE"\n', "are both set"),
        ('[schedule]\nrestart = "23:00"\nlogoff = "22:00"\n', "are both set"),
        ('[schedule]\nclose = "Fri 23:00"\n', "schedule.start is not"),
        (f'[gateway]\ninstaller_sha256 = "{"0" * 64}"\n', "without gateway.installer_url"),
        ('[second_factor]\nmethod = "command"\n', "without second_factor.code_command"),
        ('[account]\npassword_file = "/nonexistent/password"\n', "No such file"),
        ('[api]\ntls_cert = "/nonexistent"\ntls_key = "/nonexistent"\n', "No such file"),
    ],
)
def test_values_that_do_not_go_together_are_told(
    write: Callable[..., Path], tmp_path: Path, toml: str, part: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    write(toml.replace("FILE", str(secret)))

    assert any(part in line for line in mistakes(tmp_path))


# Secrets

UNICODE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ é ß € Ω 中"


def test_a_password_of_any_characters_comes_from_its_file_without_the_last_newline(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f" {UNICODE} \n")
    file.chmod(0o640)
    write(f'[account]\nusername = "me"\npassword_file = "{file}"\n')

    assert load("main", root=tmp_path, secrets=True).account.password == f" {UNICODE} "


def test_secrets_are_there_only_for_who_asks(write: Callable[..., Path], tmp_path: Path) -> None:
    write(
        '[account]\nusername = "me"\npassword = "tops3cret"\ntotp_secret = "JBSW Y3DP"\n'
        'fix_password = "tops3cret"\n'
    )

    config = load("main", root=tmp_path)
    secret = load("main", root=tmp_path, secrets=True)

    assert (config.account.password, config.account.totp_secret, config.account.fix_password) == (None,) * 3
    assert b"tops3cret" not in pickle.dumps(config.account)
    assert (secret.account.password, secret.account.totp_secret) == ("tops3cret", "JBSWY3DP")
    assert "tops3cret" not in repr(secret)


def test_credentials_of_systemd_count_above_all(write: Callable[..., Path], tmp_path: Path) -> None:
    write('[account]\nusername = "low"\npassword_file = "/nonexistent"\n')
    store = tmp_path / "credentials"
    store.mkdir()
    for name, content in (
        ("username", "high"),
        ("password", "pä\n"),
        ("totp", "JBSWY3DP\n"),
        ("fix_password", "f"),
    ):
        (store / f"ibga.{name}").write_text(content)

    environ = {"CREDENTIALS_DIRECTORY": str(store), "IB_USERNAME": "middle", "IB_PASSWORD": "p"}
    account = load("main", root=tmp_path, secrets=True, environ=environ).account

    assert (account.username, account.password, account.totp_secret, account.fix_password) == (
        *("high", "pä", "JBSWY3DP"),
        "f",
    )


@pytest.mark.parametrize("name", ["password", "totp_secret", "fix_password"])
def test_a_higher_layer_may_name_a_file_where_a_lower_one_has_the_secret(
    write: Callable[..., Path], tmp_path: Path, name: str
) -> None:
    file = tmp_path / "secret"
    file.write_text("JBSWY3DP")
    file.chmod(0o600)
    write(f'[account]\n{name} = "AAAA"\nusername = "me"\n', "defaults.toml")
    write(f'[account]\n{name}_file = "{file}"\n' + ('password = "x"\n' if name != "password" else ""))

    assert getattr(load("main", root=tmp_path, secrets=True).account, name) == "JBSWY3DP"


@pytest.mark.parametrize("secrets", [False, True])
def test_secrets_that_everybody_can_read_are_a_mistake(
    write: Callable[..., Path], tmp_path: Path, secrets: bool
) -> None:
    password = tmp_path / "password"
    password.write_text("x")
    password.chmod(0o604)
    file = write(
        f'[account]\nusername = "me"\npassword_file = "{password}"\ntotp_secret = "JBSWY3DP"\n', mode=0o644
    )

    assert mistakes(tmp_path, secrets=secrets) == [
        f"{file} holds a secret and everybody can read it (hint: chmod o-rwx {file})",
        f"{password} holds a secret and everybody can read it (hint: chmod o-rwx {password})",
    ]


def test_a_file_without_secrets_may_be_read_by_everybody(write: Callable[..., Path], tmp_path: Path) -> None:
    write('[account]\nusername = "me"\n', mode=0o644)

    assert load("main", root=tmp_path).account.username == "me"


def test_a_mistake_in_a_secret_does_not_show_it(write: Callable[..., Path], tmp_path: Path) -> None:
    write('[account]\npassword = 123456789\ntotp_secret = "tops3cret!"\n[notify]\nurls = ["tops3cret"]\n')

    lines = mistakes(tmp_path)

    assert len(lines) == 3
    assert not any("tops3cret" in line or "123456789" in line for line in lines)


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"", "empty"), (b"\n", "empty"), (b"\xff\xfe", "not UTF-8"), (b"a\nb\n", "single line")],
)
def test_a_file_that_cannot_be_a_password_is_told(
    write: Callable[..., Path], tmp_path: Path, content: bytes, part: str
) -> None:
    password = tmp_path / "password"
    password.write_bytes(content)
    password.chmod(0o600)
    write(f'[account]\nusername = "me"\npassword_file = "{password}"\n')

    assert any(part in line for line in mistakes(tmp_path))


def test_who_logs_in_needs_user_name_and_password(write: Callable[..., Path], tmp_path: Path) -> None:
    file = write("")

    lines = mistakes(tmp_path, secrets=True)

    assert [line.partition(" (hint")[0] for line in lines] == [
        f"{file}: account.username is not set",
        f"{file}: account.password is not set",
    ]


# The environment of the bash container


def test_the_variables_of_the_bash_container_keep_their_meaning(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("JBSWY3DP\n")
    secret.chmod(0o600)
    environ = {
        "IB_USERNAME": "me",
        "IB_PASSWORD_FILE": str(secret),
        "IB_LOGINTYPE": "Live Trading",
        "IB_LOGINTAB": "IB API",
        "IB_REGION": "europe",
        "IB_TIMEZONE": "America/New_York",
        "IB_LOGOFF": "11:55 PM",
        "IBG_PORT": "4001",
        "IBG_PORT_INTERNAL": "9001",
        "IB_READONLY": "y",
        "IB_APILOG": "data",
        "IB_LOGLEVEL": "Detail",
        "IBG_DOWNLOAD_URL": "https://example.org/ibgateway.sh",
        "IBGA_VNC_PASSWORD_FILE": str(secret),
        "IBGA_EXPORT_LOGS": "true",
        "IBGA_LOG_EXPORT_DIR": "/home/ibg_settings/exported_logs",
        "TOTP_KEY_FILE": str(secret),
        "IB_PREFER_IBKEY": "true",
        "IBG_DIR": "",
        "PATH": "/bin",
    }

    config = load("main", root=tmp_path, secrets=True, environ=environ)

    assert (config.account.username, config.account.password, config.account.totp_secret) == (
        *("me", "JBSWY3DP"),
        "JBSWY3DP",
    )
    assert (config.account.mode, config.login.tab, config.login.region) == (
        Mode.LIVE,
        Tab.IB_API,
        Region.EUROPE,
    )
    assert (config.login.timezone, config.schedule.restart) == ("America/New_York", "23:55")
    assert (config.api.port, config.api.internal_port, config.api.read_only) == (4001, 9001, True)
    assert (config.api.log, config.api.log_level) == (ApiLog.DATA, LogLevel.DETAIL)
    assert config.gateway.installer_url == "https://example.org/ibgateway.sh"
    assert config.vnc.password_file == secret
    assert (config.logs.export, config.logs.directory) == (True, "/home/ibg_settings/exported_logs")
    assert config.second_factor.method is SecondFactorMethod.IB_KEY


@pytest.mark.parametrize(
    ("text", "clock"),
    [("12:00 AM", "00:00"), ("12:30 PM", "12:30"), ("01:05 am", "01:05"), ("11:59 PM", "23:59")],
)
def test_a_time_of_half_a_day_is_understood(tmp_path: Path, text: str, clock: str) -> None:
    assert load("main", root=tmp_path, environ={"IB_LOGOFF": text}).schedule.restart == clock


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IB_LOGINTYPE", "paper"),
        ("IB_LOGINTAB", "API"),
        ("IB_LOGOFF", "23:55"),
        ("IBG_PORT", "40o0"),
        ("IBG_PORT", "99999"),
        ("IB_READONLY", "maybe"),
        ("IB_LOGLEVEL", "Loud"),
        ("IBGA_VNC_PASSWORD", "secret"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str) -> None:
    (line,) = mistakes(tmp_path, environ={name: value, "IB_USERNAME": "me"})

    assert line.startswith(f"environment: {name} ")
    assert name != "IBGA_VNC_PASSWORD" or "secret" not in line


def test_a_variable_that_is_misspelt_is_warned_of(write: Callable[..., Path], tmp_path: Path) -> None:
    file = write("IB_LOGINTPYE=Live Trading\nIBG_DIR=/home/ibg\n", "environment")
    write("")

    warnings = examine("main", root=tmp_path).warnings

    assert f"{file}: IB_LOGINTPYE is unknown (hint: did you mean IB_LOGINTYPE?)" in warnings
    assert any("IBG_DIR has no effect" in warning for warning in warnings)


def test_lines_of_an_environment_file_are_taken_as_they_stand() -> None:
    content = "# comment\n\nA=one two \nB='it''s #1'\nC=\"x\"\nD=a=b\nE=\n"

    assert parse_lines(content) == {"A": "one two ", "B": "it''s #1", "C": "x", "D": "a=b", "E": ""}


# A broken file while the gateway runs


@pytest.fixture
def java(tmp_path: Path) -> Path:
    """A program that Linux calls "java"."""
    link = tmp_path / "java"
    link.write_bytes(Path("/bin/sleep").read_bytes())
    link.chmod(0o755)
    return link


def publish_gateway(root: Path, pid: int | None) -> None:
    publish(
        Paths("main", root).runtime_dir / "gateway.json",
        Gateway(state=GatewayState.RUNNING, reason="", since=0.0, pid=pid),
    )


def test_a_broken_file_does_not_disturb_a_running_gateway(
    write: Callable[..., Path], tmp_path: Path, java: Path, caplog: pytest.LogCaptureFixture
) -> None:
    password = tmp_path / "password"
    password.write_text("old")
    password.chmod(0o600)
    Paths("main", tmp_path).runtime_dir.mkdir(parents=True)
    good = f'[account]\nusername = "me"\npassword_file = "{password}"\n[api]\nport = 4123\n'
    write(good + '[notify]\nurls = ["ntfy://tops3cret"]\n')
    load_for_service("main", root=tmp_path, keep=True)
    kept = (Paths("main", tmp_path).runtime_dir / "config.json").read_text()
    assert "tops3cret" not in kept

    file = write(good + "porr = 1\n")
    password.write_text("new")
    with pytest.raises(ConfigError):  # nothing runs: nothing starts
        load_for_service("main", root=tmp_path)

    with subprocess.Popen([java, "60"]) as gateway:
        try:
            comm = Path(f"/proc/{gateway.pid}/comm")
            wait_until(lambda: comm.read_text() == "java\n", "the program has its name")
            publish_gateway(tmp_path, gateway.pid)
            config = load_for_service("main", root=tmp_path, secrets=True)
        finally:
            gateway.kill()
    assert (config.api.port, config.account.username, config.account.password) == (4123, "me", "new")
    assert f"{file}: no such key api.porr (hint: did you mean api.port?)" in caplog.text
    with pytest.raises(ConfigError):
        load_for_service("main", root=tmp_path)


def test_a_pid_that_is_no_jvm_does_not_excuse_a_broken_file(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    Paths("main", tmp_path).runtime_dir.mkdir(parents=True)
    write("")
    load_for_service("main", root=tmp_path, keep=True)
    write("x")
    publish_gateway(tmp_path, os.getpid())

    with pytest.raises(ConfigError):
        load_for_service("main", root=tmp_path)


def test_only_who_is_asked_keeps_the_last_good_configuration(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    Paths("main", tmp_path).runtime_dir.mkdir(parents=True)
    write("")

    load_for_service("main", root=tmp_path)

    assert not (Paths("main", tmp_path).runtime_dir / "config.json").exists()


def test_every_documented_key_has_a_place_in_the_records() -> None:
    config = Config(paths=Paths("main"))
    for table, keys in SCHEMA.items():
        for key in keys:
            if (table, key) != ("display", "size") and not (table == "account" and key.endswith("_file")):
                assert hasattr(getattr(config, table), key), f"{table}.{key}"
    assert {table for table, _ in NOT_USED_YET} <= set(SCHEMA)
    assert load is load_config
