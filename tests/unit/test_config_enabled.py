"""The question that the vnc unit asks before it starts: exit code 1 skips it."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("toml", "code"),
    [
        ('[account]\nusername = "demo"\n', 0),
        ('[account]\nusername = "demo"\n[vnc]\nenabled = true\n', 0),
        ('[account]\nusername = "demo"\n[vnc]\nenabled = false\n', 1),
        ('[vnc]\nenabled = "perhaps"\n', 0),  # the service is started, and says what is wrong
    ],
)
def test_only_a_part_that_is_configured_off_is_skipped(tmp_path: Path, toml: str, code: int) -> None:
    file = tmp_path / "etc/ibga/main.toml"
    file.parent.mkdir(parents=True)
    file.write_text(toml)

    done = subprocess.run(
        [sys.executable, "-m", "ibga.config", "enabled", "vnc", "main"],
        env={"IBGA_ROOT": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stderr=subprocess.PIPE,
        timeout=20,
    )

    assert (done.returncode, done.stderr) == (code, b"")
