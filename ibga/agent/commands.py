"""Write commands to the agent's FIFO: the second way in, for what a mouse cannot reach or does not move.

Writes: agent/fifo. The answer comes in the next report: `report.answer(id)`; waiting for it is the caller's.
"""

import errno
import itertools
import json
import os
import stat
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ibga.agent.report import Report
from ibga.errors import Exit, IbgaError

MAX_LINE = 4096  # bytes with the line end; more than PIPE_BUF would not arrive in one piece


class Action(StrEnum):
    REVEAL = "reveal"  # scroll into view, the row where one is given
    CLICK = "click"  # press, also items of closed menus
    SET_TEXT = "set_text"
    CHOOSE = "choose"  # a row by index, text, or path of a tree
    CLOSE = "close"  # a window, as its close button would


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One line; `component` and `window` are ids of a report. With both, the one must lie in the other."""

    command: Action
    component: int | None = None
    window: int | None = None
    text: str | None = None
    row: int | None = None
    path: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        """Without the text, which may be a password."""
        return f"Command({self.command}, component={self.component}, window={self.window})"


_numbers = itertools.count(1)


def new_id() -> str:
    """Return an id that no earlier command had, of this process or of the one before it."""
    return f"{os.getpid()}-{time.monotonic_ns()}-{next(_numbers)}"


def encode(command: Command, command_id: str) -> bytes:
    """Return the line for *command*. Raises IbgaError when it does not fit."""
    fields: dict[str, Any] = {"id": command_id, "command": command.command.value}
    for name in ("component", "window", "text", "row", "path"):
        value = getattr(command, name)
        if value is not None:
            fields[name] = value
    line = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise IbgaError(
            f"a command for the agent has {len(line)} bytes", hint=f"at most {MAX_LINE}", code=Exit.DATA
        )
    return line


def send(fifo: Path, command: Command, command_id: str | None = None) -> str:
    """Write *command* to *fifo* without ever waiting, and return its id.

    Raises IbgaError when no agent reads there, or when it does not empty the FIFO any more.
    """
    command_id = new_id() if command_id is None else command_id
    line = encode(command, command_id)
    try:
        descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise IbgaError(
            f"{fifo} is not there", hint="the gateway has no window yet", code=Exit.UNAVAILABLE
        ) from None
    except OSError as error:
        hint = "the gateway has ended" if error.errno == errno.ENXIO else error.strerror or ""
        raise IbgaError(f"no agent reads {fifo}", hint=hint, code=Exit.UNAVAILABLE) from None
    try:
        if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            raise IbgaError(f"{fifo} is not a FIFO", hint="written by something else?", code=Exit.DATA)
        os.write(descriptor, line)
    except BlockingIOError:
        raise IbgaError(f"{fifo} is full", hint="the gateway is frozen", code=Exit.UNAVAILABLE) from None
    except BrokenPipeError:
        raise IbgaError(
            f"no agent reads {fifo}", hint="the gateway has ended", code=Exit.UNAVAILABLE
        ) from None
    finally:
        os.close(descriptor)
    return command_id


def close_command(report: Report) -> Command | None:
    """Return the press of File > Close, the clean way out of IBG (guide 2.5, 5.2); None where no menu is.

    The item looks enabled long before login is done; whoever sends this knows the session.
    """
    found = report.menu_item("File", "Close")
    if found is None or not found[1].enabled:
        return None
    window, item = found
    return Command(command=Action.CLICK, component=item.id, window=window.id)
