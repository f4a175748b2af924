"""`ibga ui` and `ibga screenshot`: what the gateway and the display show."""

import argparse
import sys
from pathlib import Path

from ibga.cli import the_one
from ibga.errors import Exit, IbgaError
from ibga.runtime import Display, read


def ui(options: argparse.Namespace, root: Path) -> Exit:
    """Print the component tree; passwords are not in it, since the agent tells their length only."""
    from ibga.agent.report import read_report
    from ibga.agent.tree import report_as_text

    paths = the_one(options, root)
    report = read_report(paths.runtime_dir / "ui.json")
    if report is None:
        raise IbgaError(
            "there is no report of the gateway's windows",
            hint=f"does it run? ibga status {paths.instance}",
            code=Exit.UNAVAILABLE,
        )
    print(report_as_text(report), end="")
    return Exit.OK


def screenshot(options: argparse.Namespace, root: Path) -> Exit:
    from ibga import x11

    paths = the_one(options, root)
    display = read(paths.runtime_dir / "display.json", Display)
    if display is None:
        raise IbgaError(
            "the display is not up",
            hint=f"systemctl status ibga-display@{paths.instance}",
            code=Exit.UNAVAILABLE,
        )
    connection = x11.connect(display.name, Path(display.xauthority))
    try:
        with x11.lost_connection_explained(display.name):
            picture = x11.screenshot(connection)
    finally:
        x11.close(connection)
    if options.file == "-":
        sys.stdout.buffer.write(picture)
        return Exit.OK
    file = Path(options.file or f"ibga-{paths.instance}.png")
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise IbgaError(f"cannot write {file}: {error.strerror}", code=Exit.CANNOT_CREATE) from None
    print(file)
    return Exit.OK
