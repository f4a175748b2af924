"""`ibga` as a program: what it prints, how it exits, and how quick it is."""

import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ibga.runtime import Display, State, publish
from tests.support.notify_socket import NotifySocket
from tests.support.sessions import publish_session, session
from tests.support.tree import REPOSITORY, Tree
from tests.support.xvfb import xvfb


def environment(tree: Tree) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "IBGA_ROOT": str(tree.root)}


def ibga(tree: Tree, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ibga", *arguments],
        env=environment(tree),
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_status_as_json_is_an_object_by_instance(tree: Tree) -> None:
    publish_session(tree.paths.runtime_dir, session(State.READY, reason="all is well"))

    done = ibga(tree, "status", "--json")

    assert (done.returncode, done.stderr) == (0, "")
    data = json.loads(done.stdout)
    assert list(data) == ["main"]
    assert (data["main"]["state"], data["main"]["reason"]) == ("ready", "all is well")
    assert data["main"]["facts"]["process"]["ok"] is True


def test_status_knows_instances_by_configuration_and_by_what_runs(tree: Tree) -> None:
    (tree.paths.config_dir / "paper.toml").touch()
    (tree.paths.config_dir / "defaults.toml").touch()
    (tree.paths.runtime_base / "live").mkdir()

    assert list(json.loads(ibga(tree, "status", "--json").stdout)) == ["live", "main", "paper"]
    assert list(json.loads(ibga(tree, "status", "paper", "--json").stdout)) == ["paper"]


def test_status_survives_a_torn_record_and_names_it(tree: Tree) -> None:
    (tree.paths.runtime_dir / "session.json").write_text('{"version": 1, "sta')

    done = ibga(tree, "status")

    assert done.returncode == 0
    assert f"warning: {tree.paths.runtime_dir}/session.json: not JSON" in done.stdout


def test_status_needs_at_most_150_ms_of_a_processor(tree: Tree) -> None:
    """Wall time is `make bench`'s to measure, on a machine that does nothing else."""
    publish_session(tree.paths.runtime_dir, session(State.READY))

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert ibga(tree, "status").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert statistics.median(once() for _ in range(7)) <= 0.150


def test_health_is_an_exit_code(tree: Tree) -> None:
    directory = tree.paths.runtime_dir
    assert ibga(tree, "health").returncode == 1
    publish_session(directory, session(State.READY))
    assert ibga(tree, "health").returncode == 0
    publish_session(directory, session(State.SECOND_FACTOR))
    assert ibga(tree, "health").returncode == 1
    assert ibga(tree, "health", "--live").returncode == 0
    publish_session(directory, session(State.FROZEN))
    assert ibga(tree, "health", "--live").returncode == 1


def test_health_is_bad_when_nobody_renews_the_record(tree: Tree) -> None:
    file = tree.paths.runtime_dir / "session.json"
    publish_session(file.parent, session(State.READY))
    os.utime(file, (time.time() - 31, time.time() - 31))

    done = ibga(tree, "health")

    assert done.returncode == 1
    assert "out of date" in done.stdout


@contextmanager
def waiting(
    tree: Tree, *arguments: str, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ibga", "ready", *arguments],
        env={**environment(tree), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=5)


def test_ready_waits_until_the_session_is(tree: Tree) -> None:
    assert ibga(tree, "ready").returncode == 1
    with waiting(tree, "--wait") as process:
        publish_session(tree.paths.runtime_dir, session(State.LOADING))
        time.sleep(0.5)
        assert process.poll() is None

        publish_session(tree.paths.runtime_dir, session(State.READY))

        assert process.wait(5) == 0


def test_ready_holds_exactly_while_the_session_is(tree: Tree) -> None:
    notify = NotifySocket(tree.root / "notify")
    directory = tree.paths.runtime_dir
    try:
        with waiting(tree, "--hold", env=notify.env) as process:
            publish_session(directory, session(State.LOGIN, reason="typing"))
            assert notify.wait_for("STATUS=Waiting: typing")
            assert not notify.ready

            publish_session(directory, session(State.READY))
            assert notify.wait_for("READY=1")
            (directory / "session.json").unlink()  # the automator restarts
            time.sleep(0.3)
            assert process.poll() is None

            publish_session(directory, session(State.RECONNECTING))
            assert process.wait(5) == 0
            assert notify.wait_for("STOPPING=1")
    finally:
        notify.close()


def test_ready_lets_go_when_nobody_renews_the_record(tree: Tree) -> None:
    publish_session(tree.paths.runtime_dir, session(State.READY, valid_for=1.5))
    with waiting(tree, "--hold") as process:
        assert process.wait(6) == 0


def test_ready_ends_at_sigterm(tree: Tree) -> None:
    notify = NotifySocket(tree.root / "notify")
    try:
        with waiting(tree, "--hold", env=notify.env) as process:
            assert notify.wait_for("STATUS=Waiting")
            process.send_signal(signal.SIGTERM)
            assert process.wait(5) == 0
    finally:
        notify.close()


def test_ui_prints_the_windows(tree: Tree) -> None:
    button = {
        "id": 2, "class": "javax.swing.JButton", "base": "javax.swing.JButton", "text": "Log In",
        "bounds": [1, 2, 30, 10], "enabled": True, "focused": False,
    }  # fmt: skip
    window = {
        "id": 1, "class": "ibgateway.ax", "base": "javax.swing.JFrame", "kind": "frame",
        "title": "IBKR Gateway", "bounds": [0, 0, 100, 50], "active": True, "modal": False,
        "enabled": True, "components": [button],
    }  # fmt: skip
    report = {"version": 1, "pid": 1, "seq": 1, "time": 1.0, "focus": None, "windows": [window]}
    (tree.paths.runtime_dir / "ui.json").write_text(json.dumps(report))

    done = ibga(tree, "ui")

    assert done.returncode == 0
    assert "IBKR Gateway" in done.stdout
    assert "JButton 'Log In'" in done.stdout


def test_ui_without_a_gateway_says_so(tree: Tree) -> None:
    done = ibga(tree, "ui")

    assert done.returncode == 69
    assert done.stderr == (
        "ibga: there is no report of the gateway's windows (hint: does it run? ibga status main)\n"
    )


def test_a_screenshot_is_a_png_of_the_display(tree: Tree, tmp_path: Path) -> None:
    with xvfb(tmp_path, "800x600") as display:
        publish(
            tree.paths.runtime_dir / "display.json",
            Display(
                name=display.environment["DISPLAY"],
                xauthority=display.environment["XAUTHORITY"],
                width=800,
                height=600,
                pid=1,
                since=time.time(),
            ),
        )

        done = ibga(tree, "screenshot", str(tmp_path / "shot.png"))

    assert (done.returncode, done.stderr) == (0, "")
    picture = (tmp_path / "shot.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (800, 600)


def test_a_screenshot_without_a_display_says_so(tree: Tree) -> None:
    assert ibga(tree, "screenshot").returncode == 69


def test_config_check_prints_values_origins_and_what_is_not_used(tree: Tree) -> None:
    tree.configure('[account]\nusername = "me"\npassword = "tops3cret"\n[schedule]\nrestart = "22:00"\n')

    done = ibga(tree, "config", "check")

    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split(" #")[0].strip(): line.partition("# ")[2] for line in done.stdout.splitlines()}
    assert lines['username = "me"'] == str(tree.paths.config_file)
    assert lines["port = 4000"] == "default"
    assert lines['restart = "22:00"'] == f"{tree.paths.config_file}, not used by this version"
    assert 'password = "***"' in done.stdout
    assert "tops3cret" not in done.stdout


def test_config_check_lists_every_mistake_and_exits_with_78(tree: Tree) -> None:
    tree.configure('[api]\nport = "x"\nporr = 1\n')

    done = ibga(tree, "config", "check")

    assert done.returncode == 78
    assert done.stderr.startswith("main: 2 mistakes\n")
    assert "did you mean api.port?" in done.stderr


def test_a_wrong_command_line_is_one_line_and_exit_64(tree: Tree) -> None:
    for arguments in (
        ("statsu",),
        ("status", "nobody"),
        ("--instance", "nobody", "ui"),
        ("ready", "--wait", "--hold"),
    ):
        done = ibga(tree, *arguments)
        assert done.returncode == 64
        assert done.stderr.startswith("ibga: ")
        assert done.stderr.count("\n") == 1


def test_one_of_several_instances_must_be_named(tree: Tree) -> None:
    (tree.paths.config_dir / "paper.toml").touch()

    done = ibga(tree, "health")
    assert (done.returncode, done.stderr) == (
        64,
        "ibga: which instance? (hint: --instance, one of: main, paper)\n",
    )
    publish_session(tree.paths.runtime_dir, session(State.READY))
    assert ibga(tree, "health", "--instance", "main").returncode == 0
    assert ibga(tree, "--instance", "main", "health").returncode == 0


def test_who_is_not_in_the_group_is_told(tree: Tree) -> None:
    tree.root.chmod(0o755)
    tree.paths.config_dir.chmod(0o755)
    tree.paths.runtime_dir.chmod(0o750)
    # Where anybody can read it: the checkout may lie in somebody's home.
    shutil.copytree(REPOSITORY / "ibga", tree.root / "lib/ibga")
    nobody = 65534

    done = subprocess.run(
        ["/usr/bin/python3", "-m", "ibga", "status"],
        env={"PYTHONPATH": str(tree.root / "lib"), "IBGA_ROOT": str(tree.root)},
        cwd="/",
        user=nobody,
        group=nobody,
        extra_groups=[],
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert done.returncode == 77
    assert "permission denied (hint: you are not in the group ibga" in done.stderr
