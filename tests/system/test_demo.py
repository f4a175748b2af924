"""`make demo`, as a newcomer runs it."""

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from tests.support.container import TREE


def test_the_demo_becomes_ready_and_leaves_nothing_behind_after_ctrl_c(deb: Path) -> None:
    demo = subprocess.Popen(
        ["packaging/demo"],
        cwd=TREE,
        env={**os.environ, "MODE": "live"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        assert demo.stdout is not None
        said = ""
        for line in demo.stdout:  # ends with the process, which ends itself where nothing becomes ready
            said += line
            if line.startswith("Ctrl-C"):
                break
        assert "accounts: ['U1234567']" in said, said
        containers = re.findall(r"--target=(\d+)", said)
        ports = [int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)$", said, re.MULTILINE)]
        assert len(containers) == 1
        mounted = Path(f"/proc/{containers[0]}/mountinfo").read_text()
        folders = set(re.findall(r"upperdir=(/var/tmp/ibga-container\.[^/]+)/", mounted))
        assert len(folders) == 1
        assert ports

        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
        rest, _ = demo.communicate(timeout=120)
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(120)

    assert demo.returncode == 0, said + rest
    assert "nothing is left" in rest
    assert not any(Path(f"/proc/{pid}").exists() for pid in containers)
    for port in ports:
        with socket.socket() as client:
            assert client.connect_ex(("127.0.0.1", port)) != 0
    assert not any(Path(folder).exists() for folder in folders)
