"""Runtime files are seen at once by who waits for them."""

import time
from pathlib import Path

from ibga.runtime import Reply, Watch, publish


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
