"""When IB resets its servers (guide 2.9): a failed login is not tried again before that is over. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from ibga.config import Config
from ibga.config.settings import Mode, Region

NEW_YORK, ZURICH, HONG_KONG = "America/New_York", "Europe/Zurich", "Asia/Hong_Kong"
_FRIDAY = 4  # date.weekday()


@dataclass(frozen=True, slots=True)
class _Reset:
    """From *begin* to *end*, *days* later, by the clock of *zone*; on *weekday*, or daily but Fridays."""

    zone: str
    begin: time
    end: time
    days: int = 0
    weekday: int | None = None

    def holds_on(self, day: date) -> bool:
        return day.weekday() == self.weekday if self.weekday is not None else day.weekday() != _FRIDAY


#: With the margins of guide 2.9 ("checked as"): what they are for is seen in practice.
_WEEKEND = _Reset(NEW_YORK, time(22, 45), time(2, 0), days=2, weekday=_FRIDAY)
_AMERICA = _Reset(NEW_YORK, time(23, 30), time(1, 0), days=1)
_EUROPE = _Reset(ZURICH, time(5, 30), time(7, 0))
_ASIA = (_Reset(NEW_YORK, time(16, 15), time(17, 15)), _Reset(HONG_KONG, time(20, 0), time(21, 15)))
_OF_REGION = {
    Region.AMERICA: (_WEEKEND, _AMERICA),
    Region.EUROPE: (_WEEKEND, _EUROPE),
    Region.ASIA: (_WEEKEND, *_ASIA),
    Region.CHINA: (_WEEKEND, *_ASIA),  # nothing is known of its own
}


def region_of(config: Config) -> Region:
    """The region whose servers the login is for. All paper accounts are on those of America (guide 1.10)."""
    region = config.login.region
    return Region.AMERICA if config.account.mode is Mode.PAPER or region is Region.UNSET else region


def over_at(unix: float, region: Region) -> float | None:
    """Return when the reset that is on at *unix* is over, the next one that follows without a gap included.

    Both are Unix time. None where none is on.
    """
    at = unix
    while (end := max((_end(each, at) for each in _OF_REGION[region]), default=0.0)) > at:
        at = end
    return at if at > unix else None


def _end(reset: _Reset, unix: float) -> float:
    """The end of *reset* where it is on at *unix*, else 0."""
    today = datetime.fromtimestamp(unix, UTC).astimezone(_zone(reset.zone)).date()
    for back in range(reset.days + 1):
        day = today - timedelta(days=back)
        if not reset.holds_on(day):
            continue
        begin = min(_moments(day, reset.begin, reset.zone))
        end = max(_moments(day + timedelta(days=reset.days), reset.end, reset.zone))
        if begin <= unix < end:
            return end
    return 0.0


def _moments(day: date, clock: time, zone: str) -> tuple[float, float]:
    """The two moments that a local time may mean: where clocks are put back it comes twice, and where they
    are put forward it never comes."""
    local = datetime.combine(day, clock, _zone(zone))
    return local.timestamp(), local.replace(fold=1).timestamp()


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
