"""The login attempts of one user name, on disk before the click, shared by the instances of the host.

IB locks accounts and slows down those who try too often, so what cannot be counted is not tried: a
ledger that is unreadable or unwritable means no login. Lies under logins/<SHA-256 of the user name>/.
"""

import fcntl
import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from ibga.errors import Exit, IbgaError
from ibga.paths import Paths

VERSION = 1
DAY = 86400.0  # s, the span that a budget is for
KEEP = 30 * DAY  # s, of history
LAST = 1e11  # Unix time, some thousand years from now
MAX_ATTEMPTS = 5000  # far above any budget times KEEP; more is a foreign file
MAX_REFUSALS = 50
_MAX_SIZE = 4 << 20  # bytes
_LOCK_TIMEOUT = 5.0  # s; a write takes milliseconds


class LedgerError(IbgaError):
    """The ledger cannot be trusted or written: no login."""


class BudgetSpent(LedgerError):  # noqa: N818
    """No attempt is left in these 24 hours."""


class Outcome(StrEnum):
    PENDING = "pending"  # clicked (or about to be), nothing known yet
    ACCEPTED = "accepted"
    REFUSED = "refused"  # wrong credentials
    TRANSIENT = "transient"  # the server was busy, the network was away, a second factor timed out
    YIELDED = "yielded"  # given up for another session of the same user


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    id: str
    time: float
    mode: str  # paper | live
    instance: str
    outcome: Outcome = Outcome.PENDING
    detail: str = ""
    ended: float = 0.0  # when the outcome was known; 0: not yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    fingerprint: str
    time: float
    text: str  # IB's words


@dataclass(frozen=True, slots=True)
class _Content:
    salt: str  # hex
    attempts: tuple[Attempt, ...] = ()
    refusals: tuple[Refusal, ...] = ()


class Ledger:
    """Reads the file anew for every question: other instances write it, too. All raise LedgerError."""

    def __init__(self, directory: Path, username: str) -> None:
        self._directory = directory
        self._file = directory / "ledger.json"
        self._username = username

    @classmethod
    def open(cls, paths: Paths, username: str) -> "Ledger":
        """Return the ledger of *username*, made where there is none yet, checked where there is one."""
        directory = paths.logins_dir / hashlib.sha256(username.encode()).hexdigest()
        ledger = cls(directory, username)
        try:
            if not directory.is_dir():
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                _sync_directory(directory.parent)
        except OSError as error:
            raise ledger._unwritable(error) from error
        with ledger._locked():
            if not ledger._file.exists():
                ledger._write(_Content(salt=secrets.token_hex(16)))
            ledger._read()
        return ledger

    @property
    def directory(self) -> Path:
        """Where all that concerns the user name is kept."""
        return self._directory

    def record(self, now: float, mode: str, instance: str, *, budget: int) -> Attempt:
        """Write down an attempt that is about to be made; when this returns, it is on disk.

        Raises BudgetSpent when none is left, looked at under the lock: two instances never share one.
        """
        with self._locked():
            content = self._read()
            if _left(content.attempts, now, budget) <= 0:
                raise _budget_spent(budget, _next_at(content.attempts, now, budget))
            attempt = Attempt(id=secrets.token_hex(8), time=now, mode=mode, instance=instance)
            kept = tuple(each for each in content.attempts if each.time > now - KEEP)
            self._write(replace(content, attempts=(*kept, attempt)))
        return attempt

    def rewrite(self) -> None:
        """Write what is there once more, to find out whether it can be written (again)."""
        with self._locked():
            self._write(self._read())

    def conclude(self, attempt: Attempt, outcome: Outcome, detail: str = "") -> None:
        """Write down how *attempt* ended (for history; it counts in any case)."""
        with self._locked():
            content = self._read()
            ended = replace(attempt, outcome=outcome, detail=detail[:500], ended=time.time())
            self._write(
                replace(
                    content,
                    attempts=tuple(ended if each.id == attempt.id else each for each in content.attempts),
                )
            )

    def attempts_since(self, since: float) -> tuple[Attempt, ...]:
        """Attempts from Unix time *since* on, oldest first.

        Those of the future count, too: the clock was set back.
        """
        attempts = self._read().attempts
        return tuple(sorted((each for each in attempts if each.time >= since), key=lambda each: each.time))

    def left(self, now: float, budget: int) -> int:
        """Attempts left of *budget* in the 24 h before *now*."""
        return _left(self._read().attempts, now, budget)

    def next_at(self, now: float, budget: int) -> float:
        """Unix time from which an attempt is left; *now* when there is one."""
        return _next_at(self._read().attempts, now, budget)

    def more_at(self, now: float, budget: int) -> float | None:
        """Unix time at which one of the attempts that count no longer does; None while all are left."""
        attempts = self._read().attempts
        counting = sum(each.time > now - DAY for each in attempts)
        return _next_at(attempts, now, min(budget, counting)) if counting and budget > 0 else None

    def fingerprint(self, password: str) -> str:
        """A value that changes with the credentials and does not give them away (scrypt, own salt)."""
        salt = bytes.fromhex(self._read().salt)
        secret = json.dumps([self._username, password]).encode()
        # n and r: 8 MiB and some 20 ms a guess; the automator asks once a change of configuration
        return hashlib.scrypt(secret, salt=salt, n=8192, r=8, p=1, dklen=32).hex()

    def refuse(self, fingerprint: str, text: str, now: float) -> None:
        """IB has refused these credentials, in the words *text*."""
        with self._locked():
            content = self._read()
            others = tuple(each for each in content.refusals if each.fingerprint != fingerprint)
            refusal = Refusal(fingerprint=fingerprint, time=now, text=text[:500])
            self._write(replace(content, refusals=(*others, refusal)[-MAX_REFUSALS:]))

    def forgive(self, fingerprint: str) -> bool:
        """Forget the refusal of these credentials; return whether there was one. No attempt is forgotten."""
        with self._locked():
            content = self._read()
            kept = tuple(each for each in content.refusals if each.fingerprint != fingerprint)
            if len(kept) == len(content.refusals):
                return False
            self._write(replace(content, refusals=kept))
        return True

    def refused(self, fingerprint: str) -> Refusal | None:
        """The refusal of these credentials, where there was one."""
        for refusal in self._read().refusals:
            if refusal.fingerprint == fingerprint:
                return refusal
        return None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            descriptor = os.open(self._directory / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            deadline = time.monotonic() + _LOCK_TIMEOUT
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LedgerError(
                            f"{self._directory}: another process holds the login ledger", code=Exit.TEMPORARY
                        ) from None
                    time.sleep(0.01)
            yield
        finally:
            os.close(descriptor)

    def _read(self) -> _Content:
        try:
            if self._file.stat().st_size > _MAX_SIZE:
                raise self._foreign("too large")
            data = json.loads(self._file.read_bytes())
        except OSError as error:
            raise LedgerError(
                f"cannot read the login ledger {self._file}: {error.strerror}", code=Exit.DATA
            ) from error
        except (ValueError, RecursionError):
            raise self._foreign("not JSON") from None
        try:
            return _decode(data)
        except (KeyError, TypeError, ValueError) as error:
            raise self._foreign(str(error)) from None

    def _write(self, content: _Content) -> None:
        """Replace the file; on return it is on the medium, under its name."""
        temporary = self._directory / ".ledger.json.new"
        data = json.dumps({"version": VERSION, **asdict(content)}) + "\n"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._file)
            _sync_directory(self._directory)
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> LedgerError:
        return LedgerError(
            f"cannot write the login ledger in {self._directory}: {error.strerror}",
            hint="no login without it; free space and permissions?",
            code=Exit.CANNOT_CREATE,
        )

    def _foreign(self, why: str) -> LedgerError:
        return LedgerError(
            f"{self._file} is no login ledger: {why}",
            hint="no login until it is mended; removing it forgets the attempts of the last 24 h",
            code=Exit.DATA,
        )


def _left(attempts: tuple[Attempt, ...], now: float, budget: int) -> int:
    return max(0, budget - sum(each.time > now - DAY for each in attempts))


def _budget_spent(budget: int, next_at: float) -> BudgetSpent:
    when = "never" if next_at == float("inf") else time.strftime("%d %b %H:%M", time.localtime(next_at))
    return BudgetSpent(
        f"no login attempt left: {budget} in 24 h were made",
        hint=f"login.budget; the next one is possible: {when}",
        code=Exit.TEMPORARY,
    )


def _next_at(attempts: tuple[Attempt, ...], now: float, budget: int) -> float:
    if budget <= 0:
        return float("inf")
    counting = sorted(each.time for each in attempts if each.time > now - DAY)
    return now if len(counting) < budget else counting[len(counting) - budget] + DAY


def _decode(data: Any) -> _Content:
    """Return the content of a ledger file; KeyError, TypeError or ValueError where it is not one."""
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise ValueError(f"no record of version {VERSION}")
    if len(data["attempts"]) > MAX_ATTEMPTS or len(data["refusals"]) > MAX_REFUSALS:
        raise ValueError("too many entries")
    return _Content(
        salt=bytes.fromhex(data["salt"]).hex(),
        attempts=tuple(
            Attempt(
                id=_text(each["id"]),
                time=_number(each["time"]),
                mode=_text(each["mode"]),
                instance=_text(each["instance"]),
                outcome=Outcome(each["outcome"]),
                detail=_text(each["detail"]),
                ended=_number(each.get("ended", 0.0)),  # not in those of 0.1.0
            )
            for each in data["attempts"]
        ),
        refusals=tuple(
            Refusal(
                fingerprint=_text(each["fingerprint"]), time=_number(each["time"]), text=_text(each["text"])
            )
            for each in data["refusals"]
        ),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a time")
    if not 0 <= value < LAST:  # nor is NaN, which would not count
        raise ValueError("a time beyond all measure")
    return float(value)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
