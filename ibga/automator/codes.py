"""The second factors of the configured user as the loop uses them: codes, and what is remembered of them.

Writes: second-factor.json beside the login ledger of the user name, on disk before a code is typed. It holds
times and periods, never a code. Shared by the instances of the host: IB takes a code once, whoever types it.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ibga.automator import totp
from ibga.automator.code_command import CodeCommand
from ibga.automator.ledger import LAST, Ledger, LedgerError
from ibga.automator.login import credentials
from ibga.automator.prompts import Factor, Past, has_second_factor, method_of
from ibga.automator.session import CommandAnswer
from ibga.config import Config
from ibga.config.settings import SecondFactorMethod
from ibga.errors import Exit, IbgaError

log = logging.getLogger(__name__)

VERSION = 1
FRESH = 5.0  # s that an answer of the file is good for; typing a code asks again in any case
KEEP = 200  # entries of each kind
_MAX_SIZE = 1 << 16  # bytes
_LOCK_TIMEOUT = 2.0  # s; a write takes milliseconds


class NoCodeError(IbgaError):
    """No code can be typed at this very moment; a little later one may be."""


class SecondFactors:
    """What `decide` is told of second factors (`past`, `error`, `command`), and codes for the executor."""

    def __init__(self, config: Config, wake: Callable[[], None]) -> None:
        self._config = config
        self._command = CodeCommand(config.second_factor.code_command, wake)
        self._past = Past()
        self._asked: float | None = None  # monotonic
        self._key: str | None = None  # fingerprint of the key, "" without one
        self._owed: tuple[float, ...] = ()  # when one ended unanswered, while that is on no disk
        self._sent = ""  # the command's last code that was typed: not to be typed again
        self.error = ""

    def close(self) -> None:
        self._command.forget()

    # --- what is remembered -------------------------------------------------------------------------

    def past(self) -> Past:
        """Return what is remembered; `error` says why where that cannot be known."""
        now = time.monotonic()
        if self._asked is None or now - self._asked > FRESH:
            self._asked = now
            try:
                self._past, self.error = self._change(lambda past: past), ""
            except LedgerError as error:
                self.error = error.message
        return self._past

    def ended(self, factor: Factor) -> None:
        """Remember what became of the second factor of a login."""
        if not has_second_factor(self._config):
            return
        now = time.time()
        match factor:
            case Factor.NONE | Factor.REFUSED:  # a code counts from the moment that it was typed
                return
            case Factor.PASSED:
                if self._past.tries[1:]:
                    log.warning(
                        "IB took the %d. code only: is this host's clock right?", len(self._past.tries)
                    )
                self._remember(lambda past: replace(past, tries=(), unanswered=()))
            case Factor.UNANSWERED:
                self._owed = (*self._owed, now)
                self._remember(lambda past: past)

    def forget(self) -> bool:
        """A person has looked (`ibga retry`): what was refused or unanswered counts no more.

        Return whether there was any of it. Raises LedgerError.
        """
        self._command.forget()
        before = self._change(lambda past: past)
        self._past = self._change(lambda past: replace(past, tries=(), unanswered=()))
        return before != self._past

    def _remember(self, change: Callable[[Past], Past]) -> None:
        try:
            self._past, self.error = self._change(change), ""
        except LedgerError as error:
            self.error = error.message
            log.error("%s", error)

    def _change(self, change: Callable[[Past], Past]) -> Past:
        """Read, and write what *change* makes of it, if anything. Raises LedgerError."""
        username, _ = credentials(self._config)
        if not username:
            return Past()
        ledger = Ledger.open(self._config.paths, username)
        file = ledger.directory / "second-factor.json"
        # A key that was changed is another: what was said of the old one's codes is void.
        if self._key is None:
            secret = self._config.account.totp_secret
            self._key = ledger.fingerprint(secret) if secret else ""
        key = self._key
        with _locked(ledger.directory):
            known_key, past = _read(file)
            if key and known_key != key:
                past = replace(past, periods=(), tries=())
            changed = change(replace(past, unanswered=(*past.unanswered, *self._owed)))
            if changed != past:
                _write(file, key or known_key, changed)
        self._owed = ()
        return changed

    # --- codes --------------------------------------------------------------------------------------

    @property
    def command(self) -> CommandAnswer | None:
        return self._command.answer

    def ask(self) -> None:
        """Run second_factor.code_command."""
        self._command.start(not_again=self._sent)

    def over(self) -> None:
        """No second factor is asked for any more: no code is wanted."""
        self._command.forget()

    def issue(self) -> str:
        """Return the code to be typed right now; on disk it is typed from here on.

        Raises NoCodeError where there is none at this moment, LedgerError where that cannot be written down.
        """
        self._asked = None  # whatever comes of it, the file is to be looked at again
        if method_of(self._config) is SecondFactorMethod.COMMAND:
            code = self._command.take()
            if not code:
                raise NoCodeError("no code of second_factor.code_command is there")
            self._past = self._change(lambda past: replace(past, tries=(*past.tries, time.time())))
            self._sent = code
            return code
        secret = self._config.account.totp_secret
        if not secret:
            raise NoCodeError("no key is configured")
        self._past = self._change(_with_period)
        return totp.code(secret, self._past.periods[-1])


def _with_period(past: Past) -> Past:
    now = time.time()
    if totp.moment(now, past.periods, len(past.tries)) > now:
        raise NoCodeError("the code of this moment is out of date in a moment, or was typed already")
    return replace(past, periods=(*past.periods, totp.period_of(now)), tries=(*past.tries, now))


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    try:
        descriptor = os.open(directory / "second-factor.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritable(directory, error) from error
    try:
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise LedgerError(f"another process holds {directory}/second-factor.lock") from None
                time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)


def _read(file: Path) -> tuple[str, Past]:
    """Return the fingerprint of the key and what is remembered. Raises LedgerError."""
    try:
        if file.stat().st_size > _MAX_SIZE:
            raise ValueError("too large")
        data: Any = json.loads(file.read_bytes())
        if data["version"] != VERSION:
            raise ValueError("of another version")
        past = Past(
            periods=tuple(int(each) for each in data["periods"]),
            tries=tuple(_moment(each) for each in data["tries"]),
            unanswered=tuple(_moment(each) for each in data["unanswered"]),
        )
        return str(data["key"]), past
    except FileNotFoundError:
        return "", Past()
    except OSError as error:
        raise LedgerError(f"cannot read {file}: {error.strerror}", code=Exit.DATA) from error
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        raise LedgerError(
            f"{file} is no record of second factors",
            hint="removing it forgets which codes were typed",
            code=Exit.DATA,
        ) from None


def _moment(value: Any) -> float:
    at = float(value)
    if not 0 <= at < LAST:
        raise ValueError("a time beyond all measure")
    return at


def _write(file: Path, key: str, past: Past) -> None:
    """Replace *file*; on return it is on the medium."""
    data = {
        "version": VERSION,
        "key": key,
        "periods": past.periods[-KEEP:],
        "tries": past.tries[-KEEP:],
        "unanswered": past.unanswered[-KEEP:],
    }
    temporary = file.with_name(f".{file.name}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as stream:
            stream.write(json.dumps(data) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(file)
    except OSError as error:
        raise _unwritable(file.parent, error) from error


def _unwritable(directory: Path, error: OSError) -> LedgerError:
    return LedgerError(
        f"cannot write the record of second factors in {directory}: {error.strerror}",
        hint="no code is typed without it; free space and permissions?",
        code=Exit.CANNOT_CREATE,
    )
