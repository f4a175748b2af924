"""What the ledger forbids, what it is told, and what a restart or a reload does not forget."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from ibga.automator.ledger import DAY, Attempt, Ledger, LedgerError, Outcome
from ibga.automator.logins import Logins, remaining_pause, told_to_wait
from ibga.automator.session import BACK_OFF, DROPPED_PAUSE, DROPPED_WORDS
from ibga.config import Config
from ibga.config.settings import Account, Login
from ibga.paths import Paths

WORDS = "Invalid username or password."


@pytest.fixture
def config(tmp_path: Path) -> Config:
    paths = Paths("main", tmp_path)
    paths.logins_dir.mkdir(parents=True)
    return Config(paths=paths, account=Account(username="tester", password="secret"), login=Login(budget=3))


def attempt(outcome: Outcome, age: float, detail: str = "", instance: str = "main") -> Attempt:
    return Attempt(
        id=str(age), time=1000.0 - age, mode="paper", instance=instance, outcome=outcome, detail=detail
    )


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise LedgerError("cannot write the login ledger")

    monkeypatch.setattr(Ledger, "_write", full)


def test_a_reload_with_the_same_credentials_keeps_a_refusal_that_could_not_be_written(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = Logins(config)
    logins.before_click()
    with monkeypatch.context() as broken:
        full_disk(broken)
        logins.ended(Outcome.REFUSED, WORDS)
        logins.reconfigure(replace(config, login=replace(config.login, budget=8)))
    block = logins.block()
    assert block is not None
    assert WORDS in block.reason
    assert Logins(config).block() is not None


def test_a_reload_with_other_credentials_does_not_put_the_refusal_on_them(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = Logins(config)
    logins.before_click()
    corrected = replace(config, account=replace(config.account, password="corrected"))
    with monkeypatch.context() as broken:
        full_disk(broken)
        logins.ended(Outcome.REFUSED, WORDS)
    logins.reconfigure(corrected)
    assert logins.block() is None
    assert Logins(config).block() is not None  # those that were meant


@pytest.mark.parametrize("other", [{"password": "corrected"}, {"username": "another"}])
def test_what_ib_says_after_a_reload_is_said_of_the_credentials_that_were_tried(
    config: Config, other: dict[str, str]
) -> None:
    logins = Logins(config)
    logins.before_click()
    corrected = replace(config, account=replace(config.account, **other))  # type: ignore[arg-type]
    logins.reconfigure(corrected)

    logins.ended(Outcome.REFUSED, WORDS)

    assert logins.block() is None
    assert Logins(config).block() is not None
    (noted,) = Ledger.open(config.paths, "tester").attempts_since(0.0)
    assert noted.outcome is Outcome.REFUSED


def test_a_refusal_after_a_restart_is_of_the_login_that_was_found(config: Config) -> None:
    Logins(config).before_click()
    again = Logins(config)
    assert again.pending_since() is not None
    again.reconfigure(replace(config, account=replace(config.account, password="corrected")))
    again.ended(Outcome.REFUSED, WORDS)
    assert again.block() is None
    assert Logins(config).block() is not None


def test_a_waiting_time_of_hours_is_kept_over_a_restart(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = Logins(config)
    logins.before_click()
    logins.ended(Outcome.TRANSIENT, "Too many failed login attempts. Please wait 90 minutes before")
    at = time.time()
    monkeypatch.setattr("ibga.automator.logins.time.time", lambda: at + 4000)
    block = Logins(config).block()
    assert block is not None
    assert block.until is not None
    assert at + 5400 < block.until < at + 5500


def test_a_ledger_that_takes_no_attempt_is_told_until_it_takes_one(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not only that the button had no effect."""
    logins = Logins(config)
    assert logins.block() is None
    with monkeypatch.context() as broken:
        full_disk(broken)
        with pytest.raises(LedgerError):
            logins.before_click()
        block = logins.block()
        assert block is not None
        assert "cannot write the login ledger" in block.reason
        assert block.person
    monkeypatch.setattr("ibga.automator.logins.FRESH", -1.0)
    assert logins.block() is None
    logins.before_click()


def test_the_outcome_of_an_attempt_is_written_down_over_a_reload(config: Config) -> None:
    logins = Logins(config)
    logins.before_click()
    logins.reconfigure(config)
    logins.ended(Outcome.ACCEPTED, "")
    (noted,) = Ledger.open(config.paths, "tester").attempts_since(0.0)
    assert noted.outcome is Outcome.ACCEPTED


def test_a_person_can_have_a_refusal_forgotten_and_no_attempt(config: Config) -> None:
    logins = Logins(config)
    logins.before_click()
    logins.ended(Outcome.REFUSED, WORDS)
    assert logins.block() is not None
    assert logins.forgive()
    assert logins.block() is None
    assert not logins.forgive()
    assert Ledger.open(config.paths, "tester").left(time.time(), 3) == 2


def test_the_budget_holds_for_a_person_too(config: Config) -> None:
    logins = Logins(config)
    for _ in range(3):
        logins.before_click()
        logins.ended(Outcome.REFUSED, WORDS)
        logins.forgive()
    block = logins.block()
    assert block is not None
    assert "used up" in block.reason
    with pytest.raises(LedgerError):
        logins.before_click()


def test_what_is_left_and_when_more_comes_is_known(config: Config) -> None:
    logins = Logins(config)
    left = logins.left()
    assert left is not None
    assert (left.left, left.budget, left.more_at) == (3, 3, None)
    logins.before_click()
    left = logins.left()
    assert left is not None
    assert left.left == 2
    assert left.more_at == pytest.approx(time.time() + DAY, abs=5)


def test_nothing_is_said_of_what_is_left_where_the_ledger_cannot_be_read(config: Config) -> None:
    config.paths.logins_dir.rmdir()
    config.paths.logins_dir.write_text("not a folder")
    assert Logins(config).left() is None


def test_a_waiting_time_of_ib_holds_for_every_instance_of_the_user(config: Config) -> None:
    text = "Too many failed login attempts. Please wait 2 minutes & 1 second before attempting to re-login."
    logins = Logins(config)
    logins.before_click()
    logins.ended(Outcome.TRANSIENT, text)
    other = Logins(replace(config, paths=Paths("live", config.paths.root)))
    block = other.block()
    assert block is not None
    assert block.until == pytest.approx(time.time() + 121 + 3, abs=2)
    with pytest.raises(LedgerError, match="wait"):
        other.before_click()


def test_a_waiting_time_counts_from_ibs_words_on_and_not_where_the_clock_was_set_back() -> None:
    told = replace(attempt(Outcome.TRANSIENT, 30, "Please wait 53 seconds before"), ended=980.0)
    assert told_to_wait([told], 1000.0) == 980 + 53 + 3
    assert told_to_wait([told], 900.0) == 0
    other = [attempt(Outcome.TRANSIENT, 10, "Server disconnected"), attempt(Outcome.PENDING, 5)]
    assert told_to_wait(other, 1000.0) == 0


@pytest.mark.parametrize(
    ("failed", "pause"),
    [
        ([], 0.0),
        ([attempt(Outcome.TRANSIENT, 10)], BACK_OFF[0] - 10),
        ([attempt(Outcome.TRANSIENT, 10), attempt(Outcome.TRANSIENT, 90)], BACK_OFF[1] - 10),
        ([attempt(Outcome.TRANSIENT, age) for age in range(10, 90, 10)], BACK_OFF[-1] - 10),
        ([attempt(Outcome.TRANSIENT, 100)], 0.0),
        ([attempt(Outcome.TRANSIENT, 100, f"x ({DROPPED_WORDS})")], DROPPED_PAUSE - 100),
        ([attempt(Outcome.TRANSIENT, -50)], BACK_OFF[0]),  # the clock was set back
    ],
)
def test_the_pause_after_failed_logins_is_known_from_the_ledger(failed: list[Attempt], pause: float) -> None:
    assert remaining_pause(failed, 1000.0) == pause


def test_a_restarted_automator_counts_the_failed_logins_of_its_instance_since_one_worked(
    config: Config,
) -> None:
    for outcome in (Outcome.TRANSIENT, Outcome.ACCEPTED, Outcome.TRANSIENT):
        logins = Logins(config)
        logins._attempt = Ledger.open(config.paths, "tester").record(time.time(), "paper", "main", budget=9)
        logins.ended(outcome, "Server disconnected")
    row, pause, words = Logins(config).back_off()
    assert (row, words) == (1, "Server disconnected")
    assert pause == pytest.approx(BACK_OFF[0], abs=5)
    other = Logins(replace(config, paths=Paths("live", config.paths.root)))
    assert other.back_off() == (0, 0.0, "")


def test_an_attempt_without_an_outcome_counts_as_failed_once_nothing_is_to_be_expected_of_it(
    config: Config,
) -> None:
    ledger = Ledger.open(config.paths, "tester")
    ledger.record(time.time() - 40, "paper", "main", budget=9)
    ledger.record(time.time() - 2, "paper", "main", budget=9)
    logins = Logins(config)
    assert logins.pending_since() == pytest.approx(2, abs=1)
    assert logins.back_off()[0] == 1
