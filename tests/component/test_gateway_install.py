"""Installing IB Gateway: from servers that misbehave, onto full disks, half done before, two at once."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ibga.config import Config
from ibga.config.settings import GatewaySettings
from ibga.errors import Exit, IbgaError
from ibga.gateway import download, install
from ibga.gateway.install import ensure_installed
from ibga.gateway.program import COMPLETE, Program
from ibga.gateway.status import Status
from ibga.notify import Notifier
from ibga.paths import Paths
from ibga.runtime import Gateway, GatewayState, read
from tests.support.deadline import wait_until
from tests.support.installer import tiny_installer
from tests.support.tree import REPOSITORY, Tree
from tests.support.web import serving

NAME = "ibgateway-10.45.1j-standalone-linux-x64__sh"
FILE = NAME.replace("__", ".")
MIB = 2**20


@pytest.fixture(autouse=True)
def quick_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "TRY_INTERVALS", (0.05, 0.05, 0.05))


class Recorder(Notifier):
    """Keeps every STATUS=."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def status(self, status: str) -> None:
        self.said.append(status)


def configured(
    root: Path, url: str = "", *, instance: str = "main", sha256: str = "", channel: str = "stable"
) -> Config:
    paths = Paths(instance, root)
    paths.runtime_dir.mkdir(parents=True, exist_ok=True)
    paths.home_dir.mkdir(parents=True, exist_ok=True)
    return Config(
        paths=paths,
        gateway=GatewaySettings(installer_url=url, installer_sha256=sha256, channel=channel),
    )


def installing(config: Config) -> tuple[Program, list[str]]:
    recorder = Recorder()
    return ensure_installed(config, Status(config, recorder)), recorder.said


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def leftovers(config: Config) -> list[str]:
    """What stands in programs/ beside complete versions, links and the lock."""
    return sorted(
        path.name
        for path in config.paths.programs_dir.iterdir()
        if not path.is_symlink() and path.name != ".lock" and not (path / COMPLETE).exists()
    )


# -- the good way -------------------------------------------------------------------------------------


def test_a_download_is_installed_under_its_version_and_found_again_without_one(tmp_path: Path) -> None:
    content = tiny_installer(size=3 * MIB)
    with serving(**{NAME: content}) as site:
        config = configured(tmp_path, site.url + FILE, sha256=sha256(content))
        program, said = installing(config)
        assert program.version == "10.45.1j"
        assert program.directory == config.paths.programs_dir / "10.45.1j"
        assert os.access(program.launcher, os.X_OK)
        assert (config.paths.programs_dir / "current-main").readlink() == Path("10.45.1j")
        mark = json.loads((program.directory / COMPLETE).read_text())
        assert (mark["version"], mark["url"], mark["sha256"]) == (
            "10.45.1j",
            site.url + FILE,
            sha256(content),
        )
        assert said[0] == "Downloading IB Gateway 10.45.1j, 0 %"
        assert said[-1] == "Installing IB Gateway 10.45.1j"
        assert leftovers(config) == []
        assert site.paths() == ["/" + FILE]
        again, said = installing(config)
        assert (again, said) == (program, [])
        other, _ = installing(configured(tmp_path, site.url + FILE, instance="other"))
        assert other == program
        assert site.paths() == ["/" + FILE]


def test_progress_is_published_in_per_cent_and_not_too_often(tmp_path: Path) -> None:
    with serving(**{NAME: tiny_installer(size=MIB)}) as site:
        site.seconds_per_block = 0.1  # 16 blocks
        config = configured(tmp_path, site.url + FILE)
        seen: list[Gateway] = []
        done = threading.Event()

        def look() -> None:
            while not done.is_set():
                record = read(config.paths.runtime_dir / "gateway.json", Gateway)
                if record and record not in seen:
                    seen.append(record)
                time.sleep(0.01)

        looker = threading.Thread(target=look)
        looker.start()
        installing(config)
        done.set()
        looker.join()
    downloading = [record for record in seen if record.reason.startswith("Downloading")]
    assert {record.state for record in downloading} == {GatewayState.INSTALLING}
    progress = [record.progress or 0 for record in downloading]
    assert progress == sorted(progress)
    assert progress[0] == 0
    assert progress[-1] > 50
    assert 3 <= len(progress) <= 6  # in 1.6 s
    assert all(record.reason.endswith(f", {record.progress} %") for record in downloading)


def test_a_local_installer_is_used_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "with blank" / FILE
    path.parent.mkdir()
    path.write_bytes(tiny_installer())
    config = configured(tmp_path, path.as_uri())
    program, _ = installing(config)
    assert program.version == "10.45.1j"
    assert path.exists()
    assert leftovers(config) == []


def test_a_channel_is_installed_under_the_version_that_its_probe_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as site:
        monkeypatch.setattr(install, "BASE_URL", site.url + "ibgateway")
        monkeypatch.setattr(install.platform, "machine", lambda: "x86_64")
        folder = "/ibgateway/latest-standalone/"
        site.files[folder + "ibgateway-latest-standalone-linux-x64.sh"] = tiny_installer()
        site.files[folder + "version.json"] = b'twslatest_callback({"buildVersion":"10.50.1d"});'
        config = configured(tmp_path, channel="latest")
        program, said = installing(config)
        assert program.version == "10.50.1d"
        assert "Installing IB Gateway 10.50.1d" in said
        site.files[folder + "version.json"] = b'twslatest_callback({"buildVersion":"10.50.1e"});'
        assert installing(config)[0] == program  # a channel moves on, an instance only when told to
        assert installing(configured(tmp_path, channel="10.50.1d"))[0] == program
        requests = len(site.requests)
        with pytest.raises(IbgaError, match=r"10\.45\.1j.*is not installed.*installed: 10\.50\.1d"):
            installing(configured(tmp_path, channel="10.45.1j"))
        assert len(site.requests) == requests


def test_without_a_version_the_directory_is_named_after_the_checksum(tmp_path: Path) -> None:
    content = tiny_installer()
    with serving(gateway__sh=content) as site:
        program, _ = installing(configured(tmp_path, site.url + "gateway.sh"))
    assert program.version == f"installer-{sha256(content)[:12]}"


def test_another_file_of_the_same_version_comes_beside_the_one_that_may_be_running(tmp_path: Path) -> None:
    first, second = tiny_installer(), tiny_installer(size=100_000)
    with serving(**{NAME: first}) as site:
        old, _ = installing(configured(tmp_path, site.url + FILE, sha256=sha256(first)))
        site.files["/" + FILE] = second
        new, _ = installing(configured(tmp_path, site.url + FILE, sha256=sha256(second)))
    assert old.directory.is_dir()
    assert new.directory != old.directory
    assert new.sha256 == sha256(second)


# -- what goes wrong with the file ---------------------------------------------------------------------


def test_a_wrong_checksum_names_both_and_leaves_nothing(tmp_path: Path) -> None:
    content = tiny_installer()
    with serving(**{NAME: content}) as site:
        config = configured(tmp_path, site.url + FILE, sha256="ab" * 32)
        with pytest.raises(IbgaError, match=f"{sha256(content)}.*{'ab' * 32}"):
            installing(config)
    assert leftovers(config) == []
    assert not list(config.paths.programs_dir.glob("*/ibgateway"))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"<html><head><title>Sign in</title></head></html>", 'a web page titled "Sign in"'),
        (b"#!/bin/sh\n# install4j\npayload_bytes=90000\n" + bytes(1000), "cut off"),
        (b"", "empty"),
    ],
)
def test_what_is_no_installer_is_told_and_never_run(tmp_path: Path, content: bytes, wrong: str) -> None:
    with serving(**{NAME: content}) as site:
        config = configured(tmp_path, site.url + FILE)
        with pytest.raises(IbgaError, match="is not an installer of IB Gateway") as error:
            installing(config)
    assert wrong in str(error.value)
    assert leftovers(config) == []


def test_a_server_that_lacks_the_file_or_is_not_there_is_named(tmp_path: Path) -> None:
    with serving() as site:
        config = configured(tmp_path, site.url + FILE)
        with pytest.raises(IbgaError, match="the server answered 404"):
            installing(config)
    with pytest.raises(IbgaError, match="cannot be reached: Connection refused") as error:
        installing(config)
    assert error.value.code is Exit.TEMPORARY


def test_a_local_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(IbgaError, match=r"there is no file /nowhere/x\.sh"):
        installing(configured(tmp_path, "file:///nowhere/x.sh"))


# -- what goes wrong on the way -------------------------------------------------------------------------


def test_a_transfer_that_is_cut_off_goes_on_where_it_was(tmp_path: Path) -> None:
    content = tiny_installer(size=900_000)
    with serving(**{NAME: content}) as site:
        site.cut_after = 400_000
        program, _ = installing(configured(tmp_path, site.url + FILE))
        assert program.sha256 == sha256(content)
        assert [asked for _, asked in site.requests] == ["", "bytes=400000-", "bytes=800000-"]


def test_a_part_of_an_earlier_try_is_gone_on_with_unless_the_file_has_changed(tmp_path: Path) -> None:
    content = tiny_installer(size=900_000)
    with serving(**{NAME: content}) as site:
        config = configured(tmp_path, site.url + FILE)
        site.cut_after = 0
        site.cut_times = None
        part = config.paths.programs_dir / ".downloads"
        site.cut_after = 300_000
        site.ranges = False
        with pytest.raises(
            IbgaError, match="the transfer ended after 300000 of 900000 bytes, 4 times in a row"
        ):
            installing(config)
        assert sum(path.stat().st_size for path in part.glob("*.part")) == 300_000
        site.cut_after, site.ranges = None, True
        site.requests.clear()
        changed = tiny_installer(size=900_000, extra="echo changed")
        site.files["/" + FILE] = changed
        program, _ = installing(config)
        assert site.requests == [("/" + FILE, "bytes=300000-")]
        assert program.sha256 == sha256(changed)


def test_a_part_without_a_validator_is_not_glued_to_anything(tmp_path: Path) -> None:
    content = tiny_installer(size=900_000)
    with serving(**{NAME: content}) as site:
        site.etag, site.cut_after, site.cut_times = False, 300_000, 1
        program, _ = installing(configured(tmp_path, site.url + FILE))
        assert program.sha256 == sha256(content)
        assert [asked for _, asked in site.requests] == ["", ""]


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SILENCE_TIMEOUT", 0.2)
    with serving(**{NAME: tiny_installer(size=MIB)}) as site:
        site.seconds_per_block = 1.0
        site.ranges = False
        with pytest.raises(IbgaError, match=r"the transfer broke after .* bytes .*, 4 times in a row"):
            installing(configured(tmp_path, site.url + FILE))


# -- disks ----------------------------------------------------------------------------------------------


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    path.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_the_space_is_asked_for_before_anything_is_downloaded(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with small_disk(config.paths.programs_dir, "4m"), serving(**{NAME: tiny_installer(size=2 * MIB)}) as site:
        config = configured(tmp_path, site.url + FILE)
        with pytest.raises(IbgaError, match=r"has [34] MiB left, and 8 MiB are needed"):
            installing(config)
        assert not list(config.paths.programs_dir.rglob("*.part"))


def test_a_disk_that_runs_full_is_told_and_works_once_there_is_room(tmp_path: Path) -> None:
    config = configured(tmp_path)
    with small_disk(config.paths.programs_dir, "8m"), serving(**{NAME: tiny_installer(size=MIB)}) as site:
        site.length = False  # so that nothing could be asked beforehand
        config = configured(tmp_path, site.url + FILE)
        ballast = config.paths.programs_dir / "ballast"
        ballast.write_bytes(bytes(shutil.disk_usage(ballast.parent).free - 65536))
        with pytest.raises(IbgaError, match="no space left in"):
            installing(config)
        ballast.unlink()
        program, _ = installing(config)
        assert program.version == "10.45.1j"


def test_an_installer_that_fills_the_disk_leaves_no_half_install(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(tiny_installer(extra='head -c 20000000 /dev/zero > "$dir/jars/big.jar" || exit 1'))
    config = configured(tmp_path, path.as_uri())
    with small_disk(config.paths.programs_dir, "4m"):
        with pytest.raises(IbgaError, match="no space left in"):
            installing(config)
        assert leftovers(config) == []


# -- half installs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "wrong"),
    [
        (
            "echo Something is odd; exit 3",
            r"it ended with exit code 3; it said last: Unpacking / Something is odd",
        ),
        ('touch "$dir/jars/total.jar.tmp"', r"total\.jar\.tmp is left over"),
        ("exit 0", "there is no launcher"),
    ],
)
def test_a_failed_installation_is_removed_and_says_why(tmp_path: Path, extra: str, wrong: str) -> None:
    path = tmp_path / FILE
    path.write_bytes(tiny_installer(extra=extra))
    config = configured(tmp_path, path.as_uri())
    with pytest.raises(IbgaError, match=wrong):
        installing(config)
    assert leftovers(config) == []


def test_an_installer_that_does_not_end_is_ended_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "INSTALL_TIMEOUT", 0.5)
    path = tmp_path / FILE
    path.write_bytes(tiny_installer(extra=f'echo $$ > "{tmp_path}/pid"; sleep 61 & sleep 62'))
    with pytest.raises(IbgaError, match=r"did not end within 0\.5 s"):
        installing(configured(tmp_path, path.as_uri()))
    group = int((tmp_path / "pid").read_text())
    wait_until(lambda: not _group_lives(group), "the installer and its children are gone", timeout=3)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_half_install_of_a_killed_service_is_done_anew(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(tiny_installer())
    config = configured(tmp_path, path.as_uri())
    half = config.paths.programs_dir / "10.45.1j"
    (half / "jars").mkdir(parents=True)
    (half / "ibgateway").touch(mode=0o755)
    (half / "jars" / "torn.jar").touch()
    (config.paths.programs_dir / ".unpack-old").mkdir()
    program, _ = installing(config)
    assert not (program.directory / "jars" / "torn.jar").exists()
    assert leftovers(config) == []


INSTALL = """
import sys
from pathlib import Path
from ibga.config import Config
from ibga.config.settings import GatewaySettings
from ibga.gateway.install import ensure_installed
from ibga.gateway.status import Status
from ibga.notify import Notifier
from ibga.paths import Paths
root, instance, url = sys.argv[1:]
config = Config(paths=Paths(instance, Path(root)), gateway=GatewaySettings(installer_url=url))
print(ensure_installed(config, Status(config, Notifier())).version)
"""


def test_two_instances_at_once_install_once(tmp_path: Path) -> None:
    with serving(**{NAME: tiny_installer(size=MIB, extra="sleep 0.3")}) as site:
        running = []
        for instance in ("main", "other"):
            configured(tmp_path, instance=instance)
            words = [sys.executable, "-c", INSTALL, str(tmp_path), instance, site.url + FILE]
            running.append(subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True))
        said = [process.communicate(timeout=30)[0] for process in running]
        assert said == ["10.45.1j\n", "10.45.1j\n"]
        assert site.paths() == ["/" + FILE]
    records = [
        read(tmp_path / "run/ibga" / instance / "gateway.json", Gateway) for instance in ("main", "other")
    ]
    waited = "Waiting for another instance that installs IB Gateway"
    assert sorted(record.reason == waited for record in records if record) == [False, True]


# -- as a service ---------------------------------------------------------------------------------------


def test_a_failure_is_told_and_is_not_tried_again_in_a_storm(tree: Tree) -> None:
    with serving(**{NAME: b"<html><title>Log in</title></html>"}) as site:
        tree.configure(f'[gateway]\ninstaller_url = "{site.url}{FILE}"\n')
        service = tree.start("ibga.gateway")
        service.wait_line("is not an installer of IB Gateway")
        wait_until(lambda: "next try at" in service.notify.status, "the status names the next try")
        record = read(tree.paths.runtime_dir / "gateway.json", Gateway)
        assert record
        assert record.state is GatewayState.FAILED
        assert 'a web page titled "Log in"' in record.reason
        time.sleep(1.0)  # nothing must happen in it
        assert len(site.requests) == 1
        assert not service.notify.ready
        assert service.stop() == 0


def test_a_stop_during_an_installation_ends_it_and_leaves_nothing_running(tree: Tree) -> None:
    path = tree.root / FILE
    path.write_bytes(tiny_installer(extra=f'touch "{tree.root}/begun"; sleep 63'))
    tree.configure(f'[gateway]\ninstaller_url = "{path.as_uri()}"\n')
    service = tree.start("ibga.gateway")
    wait_until((tree.root / "begun").exists, "the installer runs")
    assert service.stop() == 0
    assert not (tree.paths.programs_dir / "10.45.1j").exists()


def test_a_kill_during_an_installation_is_made_good_by_the_next_start(tree: Tree) -> None:
    path = tree.root / FILE
    path.write_bytes(
        tiny_installer(extra=f'[ -e "{tree.root}/begun" ] || {{ touch "{tree.root}/begun"; sleep 64; }}')
    )
    tree.configure(f'[gateway]\ninstaller_url = "{path.as_uri()}"\n')
    service = tree.start("ibga.gateway")
    wait_until((tree.root / "begun").exists, "the installer runs")
    service.process.send_signal(signal.SIGKILL)
    service.wait_exit()
    for process in tree.processes():  # as systemd does with what is left of a unit
        process.kill()
    again = tree.start("ibga.gateway")
    again.wait_line("is half installed, and is installed anew")
    again.wait_line("is installed in")
    again.wait_line("there is no display")
    assert again.wait_exit() == Exit.UNAVAILABLE
