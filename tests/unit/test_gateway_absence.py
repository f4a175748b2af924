"""Staying away on purpose: what is on disk, what is asked, and when it is over."""

import errno
import os
import time
from pathlib import Path

import pytest

from ibga import runtime
from ibga.gateway.absence import Absence, sentence
from ibga.paths import Paths
from ibga.runtime import Away, Reply, Request, RequestKind


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths("main", tmp_path)
    for folder in (paths.requests_dir, paths.replies_dir, paths.settings_dir):
        folder.mkdir(parents=True)
    return paths


def ask(paths: Paths, kind: RequestKind, *, until: float | None = None, age: float = 0.0) -> str:
    name = f"cli-{time.time_ns()}.json"
    request = Request(request=kind, time=time.time() - age, sender="cli", until=until)
    runtime.publish(paths.requests_dir / name, request)
    return name


def test_a_request_to_leave_holds_over_a_restart_until_its_time(paths: Paths) -> None:
    ask(paths, RequestKind.LEAVE, until=time.time() + 0.3)
    assert Absence(paths).heed()
    assert not list(paths.requests_dir.iterdir())
    assert Absence(paths).now() is not None
    time.sleep(0.35)
    assert Absence(paths).now() is None


def test_a_request_to_leave_is_answered_when_it_is_done(paths: Paths) -> None:
    name = ask(paths, RequestKind.LEAVE)
    absence = Absence(paths)
    absence.heed()
    assert not list(paths.replies_dir.iterdir())
    absence.answer(True, "Closed")
    reply = runtime.read(paths.replies_dir / name, Reply)
    assert reply is not None
    assert (reply.ok, reply.detail) == (True, "Closed")


def test_a_request_to_return_ends_it(paths: Paths) -> None:
    ask(paths, RequestKind.LEAVE)
    absence = Absence(paths)
    assert absence.heed()
    name = ask(paths, RequestKind.RETURN)
    assert not absence.heed()
    assert not absence.file.exists()
    assert (paths.replies_dir / name).exists()


def test_what_nobody_waits_for_any_more_and_what_is_for_others_is_not_done(paths: Paths) -> None:
    ask(paths, RequestKind.LEAVE, age=300)
    ask(paths, RequestKind.CLOSE)
    (paths.requests_dir / "torn.json").write_text('{"vers')
    assert not Absence(paths).heed()
    assert len(list(paths.requests_dir.iterdir())) == 2


@pytest.mark.parametrize("ahead", [-5.0, 0.0, 40 * 86400.0, 1e18, 1e300])
def test_a_time_that_is_over_or_beyond_all_measure_is_refused(paths: Paths, ahead: float) -> None:
    name = ask(paths, RequestKind.LEAVE, until=time.time() + ahead)
    absence = Absence(paths)
    assert not absence.heed()
    assert not absence.file.exists()
    reply = runtime.read(paths.replies_dir / name, Reply)
    assert reply is not None
    assert not reply.ok


def test_a_word_that_names_a_time_beyond_all_measure_holds_until_somebody_says_so(paths: Paths) -> None:
    """As of a clock that was set back by years: nobody waits for so long without a word."""
    absence = Absence(paths)
    for until in (1e18, time.time() + 366 * 86400):
        runtime.publish(absence.file, Away(since=time.time(), until=until))
        away = absence.now()
        assert away is not None
        assert away.until is None
        assert "ibga login" in sentence(away)


def test_a_word_that_cannot_be_removed_ends_no_gateway(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    absence = Absence(paths)
    name = ask(paths, RequestKind.RETURN)

    unlink = Path.unlink

    def read_only(self: Path, missing_ok: bool = False) -> None:
        if self == absence.file:
            raise OSError(errno.EROFS, "Read-only file system")
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", read_only)
    absence.heed()
    reply = runtime.read(paths.replies_dir / name, Reply)
    assert reply is not None
    assert not reply.ok
    assert "Read-only" in reply.detail


def test_an_unreadable_word_is_taken_for_away_and_told_once(
    paths: Paths, caplog: pytest.LogCaptureFixture
) -> None:
    absence = Absence(paths)
    absence.file.write_text("{")
    for _ in range(3):
        away = absence.now()
        assert away is not None
        assert away.until is None
    assert caplog.text.count("away.json") == 1


def test_answers_that_nobody_fetched_are_removed(paths: Paths) -> None:
    old = paths.replies_dir / "cli-1.json"
    old.write_text("{}")
    os.utime(old, (time.time() - 3600, time.time() - 3600))
    ask(paths, RequestKind.RETURN)
    Absence(paths).heed()
    assert not old.exists()


def test_the_operator_reads_until_when() -> None:
    assert "Lent until" in sentence(Away(since=0.0, until=time.time() + 60))
    assert "ibga login" in sentence(Away(since=0.0))
