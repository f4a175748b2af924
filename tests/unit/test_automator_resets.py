"""When IB resets its servers (guide 2.9), also around the changes of the clocks."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ibga.automator.resets import HONG_KONG, NEW_YORK, ZURICH, over_at, region_of
from ibga.automator.session import Now, Session
from ibga.automator.steps import Click, Deed, Wait
from ibga.config.settings import Mode, Region
from tests.support.reports import CONFIG, look, recorded


def at(zone: str, text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


#: 2026-01-12 is a Monday.
@pytest.mark.parametrize(
    ("region", "zone", "when", "over"),
    [
        (Region.AMERICA, NEW_YORK, "2026-01-12T23:29:59", None),
        (Region.AMERICA, NEW_YORK, "2026-01-12T23:30:00", "2026-01-13T01:00"),
        (Region.AMERICA, NEW_YORK, "2026-01-13T00:59:59", "2026-01-13T01:00"),
        (Region.AMERICA, NEW_YORK, "2026-01-13T01:00:00", None),
        (Region.AMERICA, NEW_YORK, "2026-01-14T06:00:00", None),
        (Region.EUROPE, ZURICH, "2026-01-12T05:29:59", None),
        (Region.EUROPE, ZURICH, "2026-01-12T05:30:00", "2026-01-12T07:00"),
        (Region.EUROPE, ZURICH, "2026-01-16T06:00:00", None),  # a Friday
        (Region.EUROPE, NEW_YORK, "2026-01-12T23:29:59", None),
        (Region.ASIA, NEW_YORK, "2026-01-12T16:15:00", "2026-01-12T17:15"),
        (Region.ASIA, HONG_KONG, "2026-01-12T20:00:00", "2026-01-12T21:15"),
        (Region.CHINA, HONG_KONG, "2026-01-12T21:00:00", "2026-01-12T21:15"),
        # The weekend, for all.
        *(
            (region, NEW_YORK, when, "2026-01-18T02:00")
            for region in (Region.AMERICA, Region.EUROPE, Region.ASIA)
            for when in ("2026-01-16T22:45:00", "2026-01-17T12:00:00", "2026-01-18T01:59:59")
        ),
        (Region.AMERICA, NEW_YORK, "2026-01-16T22:44:59", None),
        (Region.AMERICA, NEW_YORK, "2026-01-18T02:00:00", None),
    ],
)
def test_a_reset_lasts_until_its_end(region: Region, zone: str, when: str, over: str | None) -> None:
    assert over_at(at(zone, when), region) == (at(zone, over) if over is not None else None)


def test_the_weekend_ends_where_the_clocks_are_put_forward_in_its_last_hour() -> None:
    """2026-03-08 has no 02:00 in New York: its 01:59:59 is followed by 03:00:00."""
    end = at(NEW_YORK, "2026-03-08T03:00")
    for when in ("2026-03-06T23:00", "2026-03-07T12:00", "2026-03-08T01:59:59"):
        assert over_at(at(NEW_YORK, when), Region.AMERICA) == end
    assert over_at(end, Region.AMERICA) is None


def test_a_reset_lasts_until_the_second_of_two_equal_hours() -> None:
    """2026-11-01 has 01:00 to 02:00 twice in New York. The weekend ends at its only 02:00."""
    end = at(NEW_YORK, "2026-11-01T02:00")
    first = at(NEW_YORK, "2026-11-01T01:30")
    assert over_at(first, Region.AMERICA) == over_at(first + 3600, Region.AMERICA) == end


def test_a_day_of_25_hours_has_its_reset_where_the_clock_says_so() -> None:
    """2026-10-25 in Zurich: the clocks are put back at 03:00."""
    begin = at(ZURICH, "2026-10-26T05:30")
    assert over_at(begin - 1, Region.EUROPE) is None
    assert over_at(begin, Region.EUROPE) == begin + 5400


def test_paper_accounts_are_on_the_servers_of_america() -> None:
    asia = replace(CONFIG, login=replace(CONFIG.login, region=Region.ASIA))
    assert region_of(asia) is Region.AMERICA
    live = replace(asia, account=replace(CONFIG.account, mode=Mode.LIVE))
    assert region_of(live) is Region.ASIA
    assert region_of(replace(live, login=CONFIG.login)) is Region.AMERICA


def test_a_failed_login_waits_for_the_end_of_a_reset_and_a_first_one_does_not() -> None:
    now = Now(1000.0, at(NEW_YORK, "2026-01-12T23:45"))
    report = recorded("login")
    failed = Session(pid=report.pid, failures=1, last_words="Server disconnected", quiet_since=1000.0)

    _, decision = look(report, session=failed, now=now)

    assert decision.step == Wait(1000.0 + 75 * 60)
    assert decision.deadline == at(NEW_YORK, "2026-01-13T01:00")
    assert "resets its servers" in decision.reason
    _, decision = look(report, session=replace(failed, failures=0), now=now)
    assert isinstance(decision.step, Click)
    _, decision = look(report, session=replace(failed, insist=True), now=now)
    assert isinstance(decision.step, Click)


def test_a_void_token_is_no_failed_login() -> None:
    """The weekly expiry is met at the nightly restart, which is at the time of a reset (guide 2.7)."""
    now = Now(1000.0, at(NEW_YORK, "2026-01-12T23:55"))
    session, _ = look(recorded("token"), now=now)
    session = replace(session, to_record=None)
    report = replace(recorded("login"), pid=session.pid)
    _, decision = look(report, session=session, now=Now(now.mono + 2, now.unix + 2))
    assert isinstance(decision.step, Click)


def test_a_second_re_login_in_a_row_waits_for_the_end_of_a_reset() -> None:
    now = Now(1000.0, at(NEW_YORK, "2026-01-12T23:45"))
    report = recorded("relogin")
    lost = Session(pid=report.pid, logged_in=True, reconnecting=True, quiet_since=1000.0)
    _, decision = look(report, session=lost, now=now)
    assert isinstance(decision.step, Click)
    _, decision = look(report, session=replace(lost, relogins=1, relogged=900.0), now=now)
    assert not isinstance(decision.step, Deed)
    assert decision.deadline == at(NEW_YORK, "2026-01-13T01:00")
