"""The login ledger as the loop uses it: what it forbids, what is written before and after a click."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from ibga.automator.ledger import DAY, Attempt, BudgetSpent, Ledger, LedgerError, Outcome
from ibga.automator.login import credentials
from ibga.automator.session import (
    ANSWER_TIMEOUT,
    BACK_OFF,
    DROPPED_PAUSE,
    DROPPED_WORDS,
    RELOGIN_ROW,
    LoginBlock,
    waiting_time,
)
from ibga.config import Config
from ibga.runtime import LoginsLeft

log = logging.getLogger(__name__)

FRESH = 5.0  # s that an answer of the ledger is good for; a click asks again in any case
COUNT_FRESH = 30.0  # s that the number of attempts left is good for, which other instances may change


@dataclass(frozen=True, slots=True)
class _Refused:
    """What IB has refused, until that is on disk: with the credentials that it was said of."""

    username: str
    password: str = field(repr=False)
    text: str


class Logins:
    """The ledger of the configured user; it is opened only when something is asked of it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._attempt: Attempt | None = None
        self._tried: tuple[str, str | None] | None = None  # the credentials of that one
        self._fingerprint: str | None = None
        self._block: LoginBlock | None = None
        self._asked: float | None = None  # monotonic
        self._left: LoginsLeft | None = None
        self._counted: float | None = None  # monotonic
        self._unwritable = False  # an attempt could not be written down
        self._refused: _Refused | None = None  # while it could not be written down

    def reconfigure(self, config: Config) -> None:
        """Go on under *config*. What is still to be written down is not forgotten with the old one."""
        if credentials(config) != credentials(self._config):
            self._fingerprint = None
        self._config = config
        self._forget_answers()

    def _forget_answers(self) -> None:
        self._asked = self._counted = None

    def block(self) -> LoginBlock | None:
        """Return why no login may be tried now, or None."""
        now = time.monotonic()
        if self._asked is None or now - self._asked > FRESH:
            self._block = self._ask()
            self._asked = now
        return self._block

    def left(self) -> LoginsLeft | None:
        """Return how many attempts are left and when more come; None where that is not known."""
        now = time.monotonic()
        if self._counted is None or now - self._counted > COUNT_FRESH:
            self._left = self._count()
            self._counted = now
        return self._left

    def _count(self) -> LoginsLeft | None:
        username, _ = credentials(self._config)
        if not username:
            return None
        budget = self._config.login.budget
        try:
            ledger = Ledger.open(self._config.paths, username)
            at = time.time()
            return LoginsLeft(left=ledger.left(at, budget), budget=budget, more_at=ledger.more_at(at, budget))
        except LedgerError:
            return None  # told when a login is wanted

    def _ask(self) -> LoginBlock | None:
        username, password = credentials(self._config)
        if not username or not password:
            return None  # told by the decision itself
        at = time.time()
        try:
            self._write_refusal()
            ledger = Ledger.open(self._config.paths, username)
            if self._unwritable:
                ledger.rewrite()
                self._unwritable = False
            refusal = ledger.refused(self._fingerprint_of(ledger, password))
            left = ledger.left(at, self._config.login.budget)
            until = ledger.next_at(at, self._config.login.budget)
            told = told_to_wait(ledger.attempts_since(at - DAY), at)
        except LedgerError as error:
            return LoginBlock(
                reason=f"no login without its ledger: {error.message}",
                person=error.hint or "mend the login ledger",
            )
        if refusal is not None:
            return LoginBlock(
                reason=f"IB refused the login of {username!r}: {refusal.text!r}",
                person="correct user name or password, then reload ibga-automator; or once more: ibga retry",
            )
        if left <= 0:
            return LoginBlock(
                reason=f"all {self._config.login.budget} logins of 24 h are used up",
                person="wait, or raise login.budget",
                until=until,
            )
        if told > at:
            return LoginBlock(reason="IB asks to wait before the next login", until=told)
        return None

    def _fingerprint_of(self, ledger: Ledger, password: str) -> str:
        if self._fingerprint is None:
            self._fingerprint = ledger.fingerprint(password)
        return self._fingerprint

    def _write_refusal(self) -> None:
        """Write down what could not be written when IB said it; raises LedgerError while it still cannot."""
        refused = self._refused
        if refused is not None:
            ledger = Ledger.open(self._config.paths, refused.username)
            ledger.refuse(ledger.fingerprint(refused.password), refused.text, time.time())
            self._refused = None

    def before_click(self) -> None:
        """Write the attempt down; raises LedgerError where that cannot be: no click then."""
        username, _ = credentials(self._config)
        # Another instance with these credentials may have been refused a moment ago.
        block = self._ask()
        if block is not None:
            raise LedgerError(block.reason, hint=block.person)
        self._forget_answers()
        ledger = Ledger.open(self._config.paths, username)
        try:
            self._attempt = ledger.record(
                time.time(),
                self._config.account.mode.value,
                self._config.instance,
                budget=self._config.login.budget,
            )
        except LedgerError as error:
            self._unwritable = not isinstance(error, BudgetSpent)  # told by `block` from here on
            raise
        self._tried = credentials(self._config)
        log.info(
            "login attempt of %r written down; %d left in 24 h",
            username,
            ledger.left(time.time(), self._config.login.budget),
        )

    def ended(self, outcome: Outcome, text: str) -> None:
        """Write down how the last attempt ended; of a refusal, that these credentials are refused."""
        # They may be others than are configured by now: a reload does not wait for IB's answer.
        username, password = self._tried or credentials(self._config)
        self._forget_answers()
        try:
            if outcome is Outcome.REFUSED and password:
                self._refused = _Refused(username, password, text or "refused")
            self._write_refusal()
            if self._attempt is not None:
                Ledger.open(self._config.paths, username).conclude(self._attempt, outcome, text)
                self._attempt = self._tried = None
        except LedgerError as error:
            log.error("%s", error)

    def forgive(self) -> bool:
        """Forget that these credentials were refused; return whether they were. Raises LedgerError."""
        username, password = credentials(self._config)
        self._forget_answers()
        if not password:
            return False
        self._write_refusal()
        ledger = Ledger.open(self._config.paths, username)
        return ledger.forgive(self._fingerprint_of(ledger, password))

    def pending_since(self) -> float | None:
        """Return the age in seconds of an attempt that our predecessor made and that IB may still be at."""
        for attempt in reversed(self._own(ANSWER_TIMEOUT)):
            if attempt.outcome is Outcome.PENDING:
                self._attempt, self._tried = attempt, credentials(self._config)
                return max(0.0, time.time() - attempt.time)
        return None

    def back_off(self) -> tuple[int, float, str]:
        """Return how many logins of this instance failed since one worked, for how many seconds more the
        next one waits, and IB's words on the last.

        One without an outcome is taken for failed, but the one that is still waited for does not count yet.
        """
        failed: list[Attempt] = []
        for attempt in reversed(self._own(RELOGIN_ROW)):
            if self._attempt is not None and attempt.id == self._attempt.id:
                continue
            if attempt.outcome not in (Outcome.TRANSIENT, Outcome.PENDING):
                break
            failed.append(attempt)
        return len(failed), remaining_pause(failed, time.time()), failed[0].detail if failed else ""

    def _own(self, span: float) -> tuple[Attempt, ...]:
        """The attempts of this instance in the last *span* seconds; none where the ledger cannot be read."""
        username, password = credentials(self._config)
        if not username or not password:
            return ()
        try:
            attempts = Ledger.open(self._config.paths, username).attempts_since(time.time() - span)
        except LedgerError:
            return ()  # told when a login is wanted
        return tuple(each for each in attempts if each.instance == self._config.instance)


def told_to_wait(attempts: Sequence[Attempt], now: float) -> float:
    """Return until when (Unix time) IB has told this user to wait, of any instance; 0 where it has not.

    What it said in the future does not count: the clock was set back, and nobody knows by how much.
    """
    until = 0.0
    for each in attempts:
        wait = waiting_time(each.detail) if each.outcome is Outcome.TRANSIENT else None
        if wait is not None and each.ended <= now:
            until = max(until, each.ended + wait)
    return until


def remaining_pause(failed: Sequence[Attempt], now: float) -> float:
    """Return for how many seconds a login waits after these failed ones of a row, the newest first."""
    if not failed:
        return 0.0
    pause = BACK_OFF[min(len(failed), len(BACK_OFF)) - 1]
    if DROPPED_WORDS in failed[0].detail:
        pause = max(pause, DROPPED_PAUSE)
    return max(0.0, pause - max(0.0, now - failed[0].time))
