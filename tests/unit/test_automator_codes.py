"""Codes of the second factor: when, which, never twice; the command that prints them; one phone for all."""

import base64
import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from ibga.automator import code_command, codes, totp
from ibga.automator.code_command import CodeCommand
from ibga.automator.codes import NoCodeError, SecondFactors
from ibga.automator.ledger import Ledger, LedgerError
from ibga.automator.phone import PhoneLock
from ibga.automator.prompts import Factor
from ibga.config import Config
from ibga.config.settings import Account, Mode, SecondFactor
from ibga.config.settings import SecondFactorMethod as Method
from ibga.paths import Paths
from tests.support.deadline import wait_until

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
START = 1_800_000_000.0  # of a period


# --- the moment -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "tries", "wanted"),
    [
        (0.0, 0, 0.0),
        (26.9, 0, 26.9),
        (27.0, 0, 30.0),  # less than 3 s would be left
        (29.9, 0, 30.0),
        (5.0, 1, 5.0),
        (9.0, 1, 30.0),
        (5.0, 2, 22.0),
        (26.0, 2, 26.0),
        (27.5, 2, 52.0),
        (5.0, 9, 22.0),
    ],
)
def test_a_code_has_three_seconds_left_and_later_tries_have_their_part_of_the_period(
    seconds: float, tries: int, wanted: float
) -> None:
    assert totp.moment(START + seconds, (), tries) == START + wanted


def test_a_period_whose_code_was_typed_is_passed_over() -> None:
    period = totp.period_of(START)
    assert totp.moment(START + 3, (period,), 0) == START + 30
    assert totp.moment(START + 3, (period, period + 1), 0) == START + 60
    assert totp.moment(START + 3, (period + 7,), 0) == START + 3, "a clock that was set back"


def test_the_codes_are_those_of_rfc_6238() -> None:
    key = base64.b32encode(b"12345678901234567890").decode()
    for unix, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp.code(key, totp.period_of(unix)) == code


# --- what is remembered ---------------------------------------------------------------------------------


class Clock:
    """In the place of the module `time`: Unix time stands still until it is moved."""

    def __init__(self) -> None:
        self.unix = START

    def __getattr__(self, name: str) -> object:
        return (lambda: self.unix) if name == "time" else getattr(time, name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(codes, "time", made)
    return made


@pytest.fixture
def config(tmp_path: Path) -> Config:
    paths = Paths("main", tmp_path)
    paths.logins_dir.mkdir(parents=True)
    account = Account(username="tester", password="secret", mode=Mode.LIVE, totp_secret=SECRET)
    return Config(paths=paths, account=account)


def factors(config: Config) -> SecondFactors:
    return SecondFactors(config, lambda: None)


def record(config: Config) -> Path:
    return Ledger.open(config.paths, "tester").directory / "second-factor.json"


def test_no_code_is_given_twice_neither_after_a_restart_nor_to_another_instance(
    config: Config, clock: Clock
) -> None:
    assert factors(config).issue() == totp.code(SECRET, totp.period_of(START))
    other = replace(config, paths=Paths("other", config.paths.root))
    for again in (config, other):
        with pytest.raises(NoCodeError):
            factors(again).issue()
    clock.unix += 30
    assert factors(other).issue() == totp.code(SECRET, totp.period_of(START) + 1)


def test_a_code_about_to_expire_is_not_given(config: Config, clock: Clock) -> None:
    clock.unix += 27.5
    with pytest.raises(NoCodeError):
        factors(config).issue()
    assert not record(config).exists()


def test_the_record_holds_times_and_periods_and_neither_key_nor_code(config: Config, clock: Clock) -> None:
    code = factors(config).issue()
    content = record(config).read_text()
    data = json.loads(content)
    assert data["periods"] == [totp.period_of(START)]
    assert data["tries"] == [START]
    assert code not in content
    assert SECRET not in content
    assert stat.S_IMODE(record(config).stat().st_mode) == 0o600
    assert SECRET not in repr(vars(factors(config)))


def test_a_code_is_on_disk_before_it_is_given(
    config: Config, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = factors(config)
    ours.past()  # makes the ledger

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LedgerError, match="No space left"):
        ours.issue()
    assert not record(config).exists()


def test_refused_codes_count_until_one_is_taken_or_a_person_has_looked(config: Config, clock: Clock) -> None:
    ours = factors(config)
    ours.issue()
    ours.ended(Factor.REFUSED)
    assert len(factors(config).past().tries) == 1
    ours.ended(Factor.PASSED)
    past = factors(config).past()
    assert past.tries == ()
    assert past.periods, "that a code was typed is not forgotten"
    ours.ended(Factor.UNANSWERED)
    ours.ended(Factor.UNANSWERED)
    assert len(factors(config).past().unanswered) == 2
    assert ours.forget()
    assert not ours.forget()
    assert factors(config).past().unanswered == ()


def test_another_key_is_not_held_to_what_was_said_of_the_old_one(config: Config, clock: Clock) -> None:
    ours = factors(config)
    ours.issue()
    other = replace(config, account=replace(config.account, totp_secret=SECRET[::-1]))
    assert factors(other).past().tries == ()
    factors(other).issue()
    assert len(factors(other).past().tries) == 1


def test_a_foreign_record_is_named_and_nothing_typed(config: Config, clock: Clock) -> None:
    record(config).write_text('{"version": 1, "periods": "x"}')
    ours = factors(config)
    ours.past()
    assert "second-factor.json" in ours.error
    with pytest.raises(LedgerError):
        ours.issue()


def test_a_paper_login_is_not_remembered(config: Config, clock: Clock) -> None:
    paper = replace(config, account=replace(config.account, mode=Mode.PAPER))
    factors(paper).ended(Factor.UNANSWERED)
    assert not record(config).exists()


def test_codes_that_were_taken_late_hint_at_the_clock(
    config: Config, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    ours = factors(config)
    ours.issue()
    clock.unix += 30
    code = ours.issue()
    ours.ended(Factor.PASSED)
    assert "clock" in caplog.text
    assert code not in caplog.text


# --- the command ----------------------------------------------------------------------------------------


@pytest.fixture
def command() -> Iterator[Callable[[str], CodeCommand]]:
    running = []

    def make(line: str) -> CodeCommand:
        running.append(CodeCommand(line, lambda: None))
        return running[-1]

    yield make
    for each in running:
        each.forget()
    wait_until(lambda: not psutil.Process().children(recursive=True), "no child left")


Commands = Callable[[str], CodeCommand]


def finished(command: CodeCommand, *, not_again: str = "") -> str:
    """Run it; return its error, "" where it brought a code."""
    command.start(not_again=not_again)
    answer = wait_until(
        lambda: command.answer if command.answer and not command.answer.running else None, "its end"
    )
    assert answer is not None
    assert answer.ready is not bool(answer.error)
    return answer.error


@pytest.mark.parametrize("printed", ["123456", "123 456\n", "\n 123456 \r\n", "aB3dE6"])
def test_a_code_is_taken_from_what_it_prints(command: Commands, printed: str) -> None:
    ours = command(f"printf '%s' '{printed}'")
    assert finished(ours) == ""
    assert "123456" not in repr(ours.answer)
    assert ours.take() == "".join(printed.split())
    assert ours.take() == "", "once"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("false", "it ended with status 1"),
        ("true", "it printed nothing"),
        ("echo no code today", "what it printed is no code"),
        ("echo unauthorized", "what it printed is no code"),
        ("echo 123", "what it printed is no code"),
        ("head -c 5000 /dev/zero", "more than 4096 bytes"),
        ("sh -c 'kill -9 $$'", "ended by signal 9"),
        ("/nowhere/at-all", "it cannot be run: No such file or directory"),
        ("'' x", "it cannot be run"),
        ("echo 424242", "the code that was sent already"),
    ],
)
def test_what_goes_wrong_is_named(
    command: Commands, line: str, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    ours = command(line)
    assert error in finished(ours, not_again="424242")
    wait_until(lambda: error in caplog.text, "its error in the journal")
    assert "424242" not in caplog.text
    assert ours.take() == ""
    finished(ours, not_again="424242")
    assert ours.answer is not None
    assert ours.answer.failures == 2


def test_it_has_thirty_seconds_and_ends_with_all_that_it_started(
    command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_command, "TIMEOUT", 0.3)
    ours = command("sh -c 'sleep 60 & sleep 60'")
    assert "it did not end within" in finished(ours)
    wait_until(lambda: not psutil.Process().children(recursive=True), "no child left")
    closes_its_output = command("sh -c 'exec >&-; sleep 60'")
    assert "it did not end within" in finished(closes_its_output)


def test_it_is_not_waited_for_and_can_be_called_off(command: Commands) -> None:
    ours = command("sleep 60")
    began = time.monotonic()
    ours.start(not_again="")
    assert time.monotonic() - began < 1
    assert ours.answer is not None
    assert ours.answer.running
    ours.forget()
    assert ours.answer is None
    wait_until(lambda: not psutil.Process().children(recursive=True), "no child left")
    assert ours.answer is None, "what was called off brings nothing"


def test_it_is_told_no_secret_and_gets_no_shell(
    command: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    monkeypatch.setenv("TOTP_KEY", SECRET)
    seen = tmp_path / "seen"
    script = tmp_path / "script"
    script.write_text(
        f'#!/bin/sh\n{{ env; printf "<%s>" "$@"; readlink /proc/$$/fd/0; }} >{seen}\necho 123456\n'
    )
    script.chmod(0o700)
    assert finished(command(f"{script} '$HOME' a';b'")) == ""
    told = seen.read_text()
    assert "<$HOME><a;b>" in told
    assert "/dev/null" in told
    assert "PATH=" in told
    for secret in ("CREDENTIALS", "TOTP", SECRET, "NOTIFY_SOCKET"):
        assert secret not in told


def test_a_commands_code_counts_when_it_is_typed(config: Config, clock: Clock) -> None:
    by_command = replace(
        config, second_factor=SecondFactor(method=Method.COMMAND, code_command="echo 987654")
    )
    ours = factors(by_command)
    with pytest.raises(NoCodeError):
        ours.issue()
    ours.ask()
    wait_until(lambda: ours.command is not None and ours.command.ready, "the code")
    assert factors(by_command).past().tries == ()
    assert ours.issue() == "987654"
    assert factors(by_command).past().tries == (START,)
    assert "987654" not in record(by_command).read_text()
    ours.ask()
    wait_until(lambda: ours.command is not None and bool(ours.command.error), "its refusal to repeat it")
    ours.close()


# --- one phone ------------------------------------------------------------------------------------------


def test_one_instance_has_the_phone_and_the_others_learn_which(tmp_path: Path) -> None:
    path = tmp_path / "second-factor.lock"
    one, other = PhoneLock(path, "one"), PhoneLock(path, "other")
    assert one.hold()
    assert one.hold()
    assert one.state.held
    held = json.loads(path.read_text())
    assert held["instance"] == "one"
    assert abs(held["since"] - time.time()) < 60
    assert not other.hold()
    assert other.state.holder == "one"
    one.release()
    assert not one.state.held
    assert other.hold()
    assert json.loads(path.read_text())["instance"] == "other"
    other.release()
    other.release()


def test_the_phone_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "second-factor.lock"
    script = (
        "import sys, time; from pathlib import Path; from ibga.automator.phone import PhoneLock\n"
        "assert PhoneLock(Path(sys.argv[1]), 'gone').hold(); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        ours = PhoneLock(path, "ours")
        assert not ours.hold()
        assert ours.state.holder == "gone"
        holder.kill()
        holder.wait(10)
    assert ours.hold()
    ours.release()


def test_a_lock_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    lock = PhoneLock(tmp_path / "nowhere" / "second-factor.lock", "main")
    assert not lock.hold()
    assert "No such file or directory" in lock.state.error
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert not PhoneLock(tmp_path / "link", "main").hold()
    assert not (tmp_path / "elsewhere").exists()


def test_rubbish_in_the_lock_is_no_name(tmp_path: Path) -> None:
    path = tmp_path / "second-factor.lock"
    one, other = PhoneLock(path, "one"), PhoneLock(path, "other")
    assert one.hold()
    path.write_bytes(b"\xff[[[")
    assert not other.hold()
    assert other.state.holder == "another instance"
    one.release()
