"""One phone, several instances: only one at a time may submit a login that may ring it (design section 3).

Writes: second-factor.lock in the folder above the instances' runtime directories.
"""

import fcntl
import json
import os
import time
from pathlib import Path

from ibga.automator.prompts import Phone


class PhoneLock:
    """flock(2) on a file, only ever tried: it is gone with the process, and nobody waits inside it.

    The content (instance, since) is for people and for the others' messages; it decides nothing.
    """

    def __init__(self, path: Path, instance: str) -> None:
        self._path = path
        self._instance = instance
        self._descriptor: int | None = None
        self.state = Phone()

    def hold(self) -> bool:
        """Try to have the lock; return whether it is held, else `state` says by whom."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        except OSError as error:
            self.state = Phone(error=f"{self._path}: {error.strerror}")
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.state = Phone(holder=_holder(descriptor))
            os.close(descriptor)
            return False
        except OSError as error:
            self.state = Phone(error=f"{self._path}: {error.strerror}")
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self._write({"version": 1, "instance": self._instance, "since": time.time()})
        self.state = Phone(held=True)
        return True

    def release(self) -> None:
        self.state = Phone()
        if self._descriptor is not None:
            self._write({"version": 1})
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, content: dict[str, object]) -> None:
        """In place, since the lock is on this very file. A full disk takes nothing but the message away."""
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, json.dumps(content).encode() + b"\n", 0)
        except OSError:
            pass


def _holder(descriptor: int) -> str:
    try:
        instance = json.loads(os.pread(descriptor, 4096, 0))["instance"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another instance"
    return instance[:64] if isinstance(instance, str) and instance else "another instance"
