"""Runtime files are seen at once by who waits for them."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ibga.errors import IbgaError
from ibga.runtime import Reply, Watch, publish, read


def test_half_a_rename_does_not_hold_back_what_comes_after_it(tmp_path: Path) -> None:
    watched, elsewhere = tmp_path / "watched", tmp_path / "elsewhere"
    watched.mkdir()
    elsewhere.mkdir()
    (watched / ".half").touch()
    record = watched / "record.json"
    with Watch([watched]) as watch:
        (watched / ".half").rename(elsewhere / "half")  # its other half is never seen
        published = time.monotonic()
        publish(record, Reply(ok=True, time=0.0, detail=""))

        while record not in watch.wait(2.0):
            assert time.monotonic() - published < 2
        assert time.monotonic() - published < 0.3


@pytest.mark.parametrize(
    "put",
    [
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_text(
            '{"version": 1, "ok": true, "time": ' + "9" * 10_000 + ', "detail": ""}'
        ),
        lambda path: path.write_text('{"version": 1, "ok": true, "time": ' + "9" * 400 + ', "detail": ""}'),
        lambda path: path.write_text('{"version": 1, "ok": true, "time": NaN, "detail": ""}'),
        lambda path: path.write_text('{"version": 1, "ok": true, "time": 1e999, "detail": ""}'),
        lambda path: path.write_bytes(b"\xff\x00"),
        lambda path: path.mkdir(),
        lambda path: os.mkfifo(path),
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 30),
    ],
)
def test_a_hostile_file_is_an_error_and_neither_a_crash_nor_a_wait(
    tmp_path: Path, put: Callable[[Path], object]
) -> None:
    path = tmp_path / "record.json"
    put(path)
    with pytest.raises(IbgaError):
        read(path, Reply)


def test_a_publication_that_a_signal_interrupts_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def terminated(self: Path, target: Path) -> Path:
        raise SystemExit(0)  # as SIGTERM does

    monkeypatch.setattr(Path, "replace", terminated)
    record = Reply(ok=True, time=0.0, detail="")

    with pytest.raises(SystemExit):
        publish(tmp_path / "reply.json", record)

    assert list(tmp_path.iterdir()) == []
