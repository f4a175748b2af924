"""Room on the disk for an installation: asked for beforehand, told when it was not enough."""

import shutil
from pathlib import Path

from ibga.errors import Exit, IbgaError

#: An installation needs about so many times the installer's size for what is unpacked, on the way and at the
#: end: IB's 300 MB become "several hundred MB" (guide 1.4).
UNPACKED_FACTOR = 3


def ask_for_space(directory: Path, needed: int) -> None:
    """Raise IbgaError when *directory* has not *needed* bytes left."""
    free = shutil.disk_usage(directory).free
    if free < needed:
        raise IbgaError(
            f"{directory} has {free // 2**20} MiB left, and {-(-needed // 2**20)} MiB are needed to install"
            " IB Gateway",
            hint="free some space; the service tries again by itself",
            code=Exit.CANNOT_CREATE,
        )


def no_space(directory: Path) -> IbgaError:
    """The error for a disk that ran full meanwhile."""
    free = shutil.disk_usage(directory).free
    return IbgaError(
        f"no space left in {directory} ({free // 2**20} MiB)",
        hint="free some space; the service tries again by itself",
        code=Exit.CANNOT_CREATE,
    )
