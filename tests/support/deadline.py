"""Waiting in tests: always with a deadline, never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(look: Callable[[], T], what: str, *, timeout: float = 10.0, interval: float = 0.02) -> T:
    """Call *look* until it returns something true, and return that; fail with *what* after *timeout* s."""
    deadline = time.monotonic() + timeout
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what} (last seen: {seen!r})")
        time.sleep(interval)
    return seen
