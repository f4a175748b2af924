"""The login ledger: counted before the click, kept whatever happens, shared by the host's instances."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ibga.automator import ledger as module
from ibga.automator.ledger import DAY, KEEP, BudgetSpent, Ledger, LedgerError, Outcome
from ibga.paths import Paths
from tests.support.deadline import wait_until

NOW = 1_800_000_000.0
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths("main", tmp_path)


@pytest.fixture
def ledger(paths: Paths) -> Ledger:
    return Ledger.open(paths, "trader1")


def file_of(paths: Paths) -> Path:
    (found,) = paths.logins_dir.glob("*/ledger.json")
    return found


def record(ledger: Ledger, now: float, budget: int = 8) -> module.Attempt:
    return ledger.record(now, "paper", "main", budget=budget)


def test_an_attempt_is_seen_by_whoever_opens_the_ledger_next(paths: Paths, ledger: Ledger) -> None:
    attempt = record(ledger, NOW)
    other = Ledger.open(Paths("live", paths.root), "trader1")
    assert other.attempts_since(NOW - DAY) == (attempt,)
    assert other.left(NOW, 8) == 7


def test_user_names_have_ledgers_of_their_own(paths: Paths, ledger: Ledger) -> None:
    record(ledger, NOW)
    assert Ledger.open(paths, "trader2").left(NOW, 8) == 8


def test_neither_user_name_nor_password_stand_in_the_clear(paths: Paths, ledger: Ledger) -> None:
    record(ledger, NOW)
    ledger.refuse(ledger.fingerprint("hunter2"), "Invalid username or password", NOW)
    everything = "".join(str(path) for path in paths.logins_dir.rglob("*")) + file_of(paths).read_text()
    assert "trader1" not in everything
    assert "hunter2" not in everything
    assert file_of(paths).stat().st_mode & 0o077 == 0
    assert file_of(paths).parent.stat().st_mode & 0o077 == 0


def test_the_budget_is_for_any_24_hours(ledger: Ledger) -> None:
    for hour in range(3):
        record(ledger, NOW + hour * 3600, budget=3)
    assert ledger.left(NOW + 3 * 3600, 3) == 0
    with pytest.raises(BudgetSpent, match="3 in 24 h"):
        record(ledger, NOW + 3 * 3600, budget=3)
    assert ledger.next_at(NOW + 3 * 3600, 3) == NOW + DAY
    assert ledger.next_at(NOW + 3 * 3600, 2) == NOW + 3600 + DAY  # the budget was lowered meanwhile
    assert ledger.next_at(NOW + 3 * 3600, 4) == NOW + 3 * 3600
    record(ledger, NOW + DAY, budget=3)
    assert ledger.left(NOW + DAY, 3) == 0


def test_no_budget_means_never(ledger: Ledger) -> None:
    assert ledger.left(NOW, 0) == 0
    assert ledger.next_at(NOW, 0) == float("inf")
    with pytest.raises(BudgetSpent):
        record(ledger, NOW, budget=0)


def test_attempts_of_the_future_count_after_the_clock_was_set_back(ledger: Ledger) -> None:
    record(ledger, NOW)
    assert ledger.left(NOW - 10 * DAY, 1) == 0
    with pytest.raises(BudgetSpent):
        record(ledger, NOW - 10 * DAY, budget=1)
    assert len(ledger.attempts_since(NOW - 11 * DAY)) == 1


def test_results_are_kept_for_history(ledger: Ledger) -> None:
    first, second = record(ledger, NOW), record(ledger, NOW + 1)
    ledger.conclude(first, Outcome.REFUSED, "Invalid username or password")
    ledger.conclude(second, Outcome.ACCEPTED)
    noted = ledger.attempts_since(NOW)
    assert all(each.ended for each in noted)
    assert tuple(replace(each, ended=0.0) for each in noted) == (
        replace(first, outcome=Outcome.REFUSED, detail="Invalid username or password"),
        replace(second, outcome=Outcome.ACCEPTED),
    )


def test_history_ends_after_30_days(paths: Paths, ledger: Ledger) -> None:
    record(ledger, NOW)
    kept = record(ledger, NOW + 2)
    last = record(ledger, NOW + KEEP + 1)
    assert ledger.attempts_since(0) == (kept, last)


def test_a_refusal_is_for_these_credentials_only(paths: Paths, ledger: Ledger) -> None:
    ledger.refuse(ledger.fingerprint("wrong"), "Invalid username or password", NOW)
    again = Ledger.open(paths, "trader1")
    refusal = again.refused(again.fingerprint("wrong"))
    assert refusal is not None
    assert refusal.text == "Invalid username or password"
    assert again.refused(again.fingerprint("right")) is None


def test_refusals_are_bounded_and_the_newest_stay(ledger: Ledger) -> None:
    for number in range(60):
        ledger.refuse(f"print{number}", "no", NOW + number)
    assert ledger.refused("print9") is None
    assert ledger.refused("print10") is not None
    assert ledger.refused("print59") is not None


def test_the_same_password_has_another_fingerprint_for_another_user(paths: Paths, ledger: Ledger) -> None:
    assert ledger.fingerprint("same") == ledger.fingerprint("same")
    assert ledger.fingerprint("same") != Ledger.open(paths, "trader2").fingerprint("same")


GOOD = {
    "version": 1,
    "salt": "00ff",
    "attempts": [
        {"id": "a", "time": 1.0, "mode": "live", "instance": "main", "outcome": "pending", "detail": ""}
    ],
    "refusals": [],
}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"version": 1, "salt": "00ff", "att',
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        json.dumps({**GOOD, "version": 2}).encode(),
        json.dumps({**GOOD, "salt": "zz"}).encode(),
        json.dumps({**GOOD, "salt": None}).encode(),
        json.dumps({**GOOD, "attempts": {}, "refusals": None}).encode(),
        json.dumps({**GOOD, "attempts": [{**GOOD["attempts"][0], "time": "now"}]}).encode(),  # type: ignore[index]
        json.dumps({**GOOD, "attempts": [{**GOOD["attempts"][0], "time": True}]}).encode(),  # type: ignore[index]
        *(
            json.dumps({**GOOD, "attempts": [{**GOOD["attempts"][0], "time": when}]}).encode()  # type: ignore[index]
            for when in (float("nan"), float("inf"), 10**400, 1e18, -1.0)
        ),
        json.dumps({**GOOD, "attempts": [{**GOOD["attempts"][0], "outcome": "won"}]}).encode(),  # type: ignore[index]
        json.dumps({**GOOD, "attempts": ["now"]}).encode(),
        json.dumps({**GOOD, "attempts": "ab"}).encode(),
        json.dumps({**GOOD, "attempts": GOOD["attempts"] * 6000}).encode(),  # type: ignore[operator]
        b"[" * 100_000,
        b" " * (5 << 20),
    ],
)
def test_a_torn_or_foreign_file_means_no_login(paths: Paths, ledger: Ledger, content: bytes) -> None:
    file_of(paths).write_bytes(content)
    for ask in (
        lambda: Ledger.open(paths, "trader1"),
        lambda: record(ledger, NOW),
        lambda: ledger.left(NOW, 8),
        lambda: ledger.next_at(NOW, 8),
        lambda: ledger.refused("x"),
    ):
        with pytest.raises(LedgerError, match=r"ledger\.json"):
            ask()
    assert file_of(paths).read_bytes() == content  # left for a person to look at


def test_a_good_file_is_read(paths: Paths, ledger: Ledger) -> None:
    file_of(paths).write_text(json.dumps(GOOD))
    assert len(ledger.attempts_since(0)) == 1


def test_a_ledger_that_vanished_while_in_use_is_not_taken_for_an_empty_one(
    paths: Paths, ledger: Ledger
) -> None:
    file_of(paths).unlink()
    with pytest.raises(LedgerError):
        record(ledger, NOW)


def test_an_unwritable_ledger_means_no_login(paths: Paths, ledger: Ledger) -> None:
    before = file_of(paths).read_bytes()
    (
        file_of(paths).parent / ".ledger.json.new"
    ).mkdir()  # root may write into any directory, but not into this
    with pytest.raises(LedgerError, match="cannot write the login ledger"):
        record(ledger, NOW)
    assert file_of(paths).read_bytes() == before


def test_a_place_that_cannot_be_made_means_no_login(paths: Paths) -> None:
    paths.home_dir.parent.mkdir(parents=True)
    paths.home_dir.write_text("a file where the directory should be")
    with pytest.raises(LedgerError, match="cannot write the login ledger"):
        Ledger.open(paths, "trader1")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_means_no_login(paths: Paths, ledger: Ledger) -> None:
    (file_of(paths).parent / ".ledger.json.new").symlink_to("/dev/full")
    with pytest.raises(LedgerError, match="No space left"):
        record(ledger, NOW)
    assert ledger.attempts_since(0) == ()


def test_a_process_that_holds_the_ledger_is_not_waited_for_without_end(
    paths: Paths, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_TIMEOUT", 0.2)
    with ledger._locked(), pytest.raises(LedgerError, match="another process holds"):
        record(Ledger(file_of(paths).parent, "trader1"), NOW)


WRITER = """
import sys, time
from pathlib import Path
from ibga.automator.ledger import BudgetSpent, Ledger
from ibga.paths import Paths
ledger = Ledger.open(Paths("main", Path(sys.argv[1])), "trader1")
try:
    while True:
        attempt = ledger.record(time.time(), "paper", sys.argv[2], budget=int(sys.argv[3]))
        print(attempt.id, flush=True)  # the click
except BudgetSpent:
    pass
"""


def start_writer(paths: Paths, budget: int, name: str = "main") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(paths.root), name, str(budget)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )


def test_no_attempt_is_lost_when_the_process_is_killed_at_any_moment(paths: Paths, ledger: Ledger) -> None:
    clicked: set[str] = set()
    for number in range(50):
        writer = start_writer(paths, budget=5000)
        assert writer.stdout is not None
        clicked.add(writer.stdout.readline().strip())
        time.sleep(0.0007 * (number % 15))
        writer.send_signal(signal.SIGKILL)
        clicked.update(
            line.strip() for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        )
        writer.wait(10)
        writer.stdout.close()
        known = {attempt.id for attempt in Ledger.open(paths, "trader1").attempts_since(0)}
        assert clicked <= known, f"lost after kill {number}"
    assert len(clicked) >= 50


def test_two_instances_never_share_the_last_attempt(paths: Paths, ledger: Ledger) -> None:
    writers = [start_writer(paths, budget=40, name=name) for name in ("main", "live", "paper")]
    counts = []
    for writer in writers:
        output, _ = writer.communicate(timeout=60)
        counts.append(len(output.split()))
        assert writer.returncode == 0
    assert sum(counts) == 40
    wait_until(lambda: len(ledger.attempts_since(0)) == 40, "40 attempts")
