"""The errors that are an operator's to read: one line, a hint, a documented exit code.

Everything else is a fault of ours and rises with its traceback.
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of the services and of `ibga`; documented in docs/exit-codes.md."""

    OK = 0
    FAILURE = 1  # the thing asked for did not work, or is not so
    USAGE = 64  # EX_USAGE: the command line is wrong
    DATA = 65  # EX_DATAERR: a file of the runtime directory is torn or foreign
    UNAVAILABLE = 69  # EX_UNAVAILABLE: a program or a service that is needed is not there
    CANNOT_CREATE = 73  # EX_CANTCREAT: a file cannot be written (disk full, no permission)
    TEMPORARY = 75  # EX_TEMPFAIL: may work when tried again
    NO_PERMISSION = 77  # EX_NOPERM
    CONFIG = 78  # EX_CONFIG: a setting is wrong; a restart cannot mend it


class IbgaError(Exception):
    """An operator's error: *message* says what and where, *hint* what is allowed or what to do."""

    def __init__(self, message: str, *, hint: str = "", code: Exit = Exit.FAILURE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} (hint: {self.hint})" if self.hint else self.message
