"""Find out whether a process listens on a TCP port, without a connection to it.

Reads: /proc/PID/net/tcp and tcp6, /proc/PID/fd.
"""

import os
from pathlib import Path

_LISTEN = "0A"  # of a socket's states, include/net/tcp_states.h


def listens(pid: int, port: int) -> bool:
    """Whether one of the process's own sockets listens on *port*; False where it is gone."""
    wanted = _listening_inodes(pid, port)
    try:
        with os.scandir(f"/proc/{pid}/fd") as entries:
            return any(_target(entry.path) in wanted for entry in entries) if wanted else False
    except OSError:
        return False


def _listening_inodes(pid: int, port: int) -> set[str]:
    """Return the links of those sockets in its network namespace, as /proc/PID/fd shows them."""
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
        except OSError:  # gone, or no IPv6
            continue
        for fields in map(str.split, lines):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _target(link: str) -> str:
    try:
        return str(Path(link).readlink())
    except OSError:  # closed meanwhile
        return ""
