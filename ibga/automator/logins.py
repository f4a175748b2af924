"""The login ledger as the loop uses it: what it forbids, what is written before and after a click."""

import logging
import time

from ibga.automator.ledger import Attempt, Ledger, LedgerError, Outcome
from ibga.automator.login import credentials
from ibga.automator.session import ANSWER_TIMEOUT, LoginBlock
from ibga.config import Config

log = logging.getLogger(__name__)

FRESH = 5.0  # s that an answer of the ledger is good for; a click asks again in any case


class Logins:
    """The ledger of the configured user; it is opened only when a login is wanted."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._attempt: Attempt | None = None
        self._fingerprint: str | None = None
        self._block: LoginBlock | None = None
        self._asked: float | None = None  # monotonic
        self._refused = ""  # IB's words, while they could not be written down

    def block(self) -> LoginBlock | None:
        """Return why no login may be tried now, or None."""
        now = time.monotonic()
        if self._asked is None or now - self._asked > FRESH:
            self._block = self._ask()
            self._asked = now
        return self._block

    def _ask(self) -> LoginBlock | None:
        username, password = credentials(self._config)
        if not username or not password:
            return None  # told by the decision itself
        try:
            ledger = Ledger.open(self._config.paths, username)
            if self._fingerprint is None:
                self._fingerprint = ledger.fingerprint(password)
            self._write_refusal(ledger)
            refusal = ledger.refused(self._fingerprint)
            left = ledger.left(time.time(), self._config.login.budget)
            until = ledger.next_at(time.time(), self._config.login.budget)
        except LedgerError as error:
            return LoginBlock(
                reason=f"no login without its ledger: {error.message}",
                person=error.hint or "mend the login ledger",
            )
        if refusal is not None:
            return LoginBlock(
                reason=f"IB refused the login: {refusal.text!r}",
                person="correct user name or password, then reload or restart ibga-automator",
            )
        if left <= 0:
            return LoginBlock(
                reason=f"all {self._config.login.budget} logins of 24 h are used up",
                person="wait, or raise login.budget",
                until=until,
            )
        return None

    def _write_refusal(self, ledger: Ledger) -> None:
        """Write down what could not be written when IB said it; raises LedgerError while it still cannot."""
        if self._refused and self._fingerprint is not None:
            ledger.refuse(self._fingerprint, self._refused, time.time())
            self._refused = ""

    def before_click(self) -> None:
        """Write the attempt down; raises LedgerError where that cannot be: no click then."""
        username, _ = credentials(self._config)
        # Another instance with these credentials may have been refused a moment ago.
        block = self._ask()
        if block is not None:
            raise LedgerError(block.reason, hint=block.person)
        self._asked = None
        ledger = Ledger.open(self._config.paths, username)
        self._attempt = ledger.record(
            time.time(),
            self._config.account.mode.value,
            self._config.instance,
            budget=self._config.login.budget,
        )
        log.info(
            "login attempt written down; %d left in 24 h", ledger.left(time.time(), self._config.login.budget)
        )

    def ended(self, outcome: Outcome, text: str) -> None:
        """Write down how the last attempt ended; of a refusal, that these credentials are refused."""
        username, password = credentials(self._config)
        self._asked = None
        try:
            if outcome is Outcome.REFUSED and password:
                self._refused = text or "refused"
            ledger = Ledger.open(self._config.paths, username)
            if password:
                self._fingerprint = self._fingerprint or ledger.fingerprint(password)
            self._write_refusal(ledger)
            if self._attempt is not None:
                ledger.conclude(self._attempt, outcome, text)
                self._attempt = None
        except LedgerError as error:
            log.error("%s", error)

    def pending_since(self) -> float | None:
        """Return the age in seconds of an attempt that our predecessor made and that IB may still be at."""
        username, password = credentials(self._config)
        if not username or not password:
            return None
        try:
            attempts = Ledger.open(self._config.paths, username).attempts_since(time.time() - ANSWER_TIMEOUT)
        except LedgerError:
            return None  # told when a login is wanted
        for attempt in reversed(attempts):
            if attempt.instance == self._config.instance and attempt.outcome is Outcome.PENDING:
                self._attempt = attempt
                return max(0.0, time.time() - attempt.time)
        return None
