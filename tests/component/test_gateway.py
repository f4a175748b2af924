"""The gateway service with the simulated gateway on a real JVM and a real X server."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from ibga.agent.heartbeat import read_heartbeat
from ibga.agent.report import read_report
from ibga.gateway import runner
from ibga.gateway.process import is_restarter
from ibga.runtime import Display, Gateway, GatewayState, Reply, Request, publish, read
from tests.support.deadline import wait_until
from tests.support.installer import tiny_installer
from tests.support.simulator import Event, build_installer, read_events, send_command, write_scenario
from tests.support.suite import link_share
from tests.support.tree import Service, Tree, temporary_tree
from tests.support.xvfb import Xvfb, xvfb

SERVICE, QUICK = "ibga.gateway", "tests.support.quick_gateway"
LOGGED_IN = {"autopilot.user": "demo", "paper.dialog": "false"}


class Host:
    """One root with one program directory; every test has an instance of its own in it."""

    def __init__(self, base: Tree, display: Xvfb) -> None:
        self.base = base
        self.display = display
        self.counter = itertools.count(1)


class Instance(Tree):
    def __init__(self, host: Host) -> None:
        number = next(host.counter)
        super().__init__(host.base.root, f"t{number}")
        self.ports = (
            f"[api]\nport = {4100 + number}\ninternal_port = {4200 + number}\n[vnc]\nport = {4300 + number}\n"
        )
        self.numbers = itertools.count(number * 100)  # names of notify sockets, in the common root
        publish(
            self.paths.runtime_dir / "display.json",
            Display(
                name=host.display.display,
                xauthority=str(host.display.xauthority),
                width=1024,
                height=768,
                pid=host.display.process.pid,
                since=time.time(),
            ),
        )
        self.set_gateway()

    def set_gateway(self, more: str = "", url: str = "") -> None:
        self.configure(
            f'[gateway]\ninstaller_url = "{url or build_installer().as_uri()}"\n{more}{self.ports}'
        )

    def scenario(self, **keys: str) -> None:
        write_scenario(self.paths.settings_dir, {**LOGGED_IN, **keys})

    def run(self, module: str = SERVICE, *, watchdog: float = 30.0, **env: str) -> Service:
        service = self.start(module, watchdog=watchdog, **env)
        service.wait_ready(60)
        return service

    def record(self) -> Gateway:
        record = read(self.paths.runtime_dir / "gateway.json", Gateway)
        assert record is not None
        return record

    def wait_state(self, state: GatewayState, timeout: float = 30.0) -> Gateway:
        def reached() -> Gateway | None:
            record = self.record()
            return record if record.state is state else None

        return wait_until(reached, f"the gateway is {state}", timeout=timeout)

    def events(self, name: str) -> list[Event]:
        return [event for event in read_events(self.paths.settings_dir) if event["event"] == name]

    def wait_event(self, name: str, count: int = 1, timeout: float = 30.0) -> list[Event]:
        return wait_until(
            lambda: found if len(found := self.events(name)) >= count else [],
            f"the simulator notes {name}",
            timeout=timeout,
        )

    def command(self, *lines: str) -> None:
        send_command(self.paths.settings_dir, *lines)

    def gateway_processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get("IBGA_RUNTIME_DIR") == str(self.paths.runtime_dir):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with temporary_tree("base") as base, xvfb(tmp_path_factory.mktemp("xvfb")) as display:
        link_share(base)
        yield Host(base, display)


@pytest.fixture
def instance(host: Host) -> Iterator[Instance]:
    made = Instance(host)
    yield made
    left = [name for name in made.stop() if "java" in name]
    assert left == []


# -- start --------------------------------------------------------------------------------------------


def test_it_is_ready_once_the_agent_has_reported_and_says_what_runs(instance: Instance) -> None:
    instance.scenario(**{"autopilot.user": "", "delay.start": "1"})
    instance.set_gateway('[login]\ntimezone = "Europe/Berlin"\n')
    service = instance.start(
        SERVICE, CREDENTIALS_DIRECTORY="/secret", JAVA_TOOL_OPTIONS="-Dx=y", https_proxy="http://p"
    )
    while not service.notify.ready:
        seen = service.notify.ready, (instance.paths.runtime_dir / "ui.json").exists()
        assert seen != (True, False)
        assert service.process.poll() is None, service.journal()
        time.sleep(0.02)
    report = read_report(instance.paths.runtime_dir / "ui.json")
    assert report is not None
    record = instance.wait_state(GatewayState.RUNNING)
    assert (record.pid, record.running_version, record.installed_version) == (
        report.pid,
        "10.45.1j",
        "10.45.1j",
    )
    assert record.restarts == 0
    assert service.notify.status == "IB Gateway 10.45.1j runs"
    start = instance.events("start")[0]
    assert start["pid"] == record.pid
    assert start["settings_dir"] == str(instance.paths.settings_dir)
    assert "https_proxy" in start["environment"]
    for private in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "CREDENTIALS_DIRECTORY", "JAVA_TOOL_OPTIONS"):
        assert private not in start["environment"]
    ini = (instance.paths.settings_dir / "jts.ini").read_text()
    assert "TimeZone=Europe/Berlin" in ini
    assert "Locale=en" in ini
    vmoptions = Path(record.program_dir, "ibgateway.vmoptions").read_text()
    assert vmoptions.count("-javaagent:") == 1
    assert f"-javaagent:{instance.paths.agent_jar}\n" in vmoptions
    assert service.warnings() == []


def test_two_instances_with_different_heaps_run_from_one_program_directory(
    host: Host, instance: Instance
) -> None:
    other = Instance(host)
    try:
        instance.set_gateway('java_heap = "200m"\n')
        other.set_gateway('java_heap = "300m"\n')
        for each in (instance, other):
            each.start(SERVICE)
        for each in (instance, other):
            each.services[0].wait_ready(60)
        assert instance.record().program_dir == other.record().program_dir
        assert instance.record().pid != other.record().pid
        heaps = [each.events("start")[0]["max_heap"] / 2**20 for each in (instance, other)]
        assert heaps == [pytest.approx(200, abs=8), pytest.approx(300, abs=8)]
        assert other.services[0].stop(40) == 0
        assert instance.record().state is GatewayState.RUNNING
        assert not other.gateway_processes()
    finally:
        other.stop()


def test_a_launcher_that_fails_is_told_with_its_last_words_however_much_it_says(instance: Instance) -> None:
    path = instance.root / "ibgateway-9.9.9-standalone-linux-x64.sh"
    path.write_bytes(
        tiny_installer(launcher="yes noise | head -c 5000000 >&2; echo No suitable Java; exit 83")
    )
    instance.set_gateway(url=path.as_uri())
    service = instance.start(SERVICE)
    assert service.wait_exit(30) == 1
    assert "exit code 83" in service.journal()[-1]
    assert "No suitable Java" in service.journal()[-1]
    record = instance.record()
    assert record.state is GatewayState.FAILED
    assert record.last_exit
    assert record.last_exit.code == 83


def test_without_the_agent_nothing_is_started(instance: Instance) -> None:
    jar = instance.paths.agent_jar
    away = jar.with_suffix(".away")
    jar.rename(away)
    try:
        service = instance.start(SERVICE)
        assert service.wait_exit(30) == 69
        assert f"{jar} is missing" in service.journal()[-1]
        assert not instance.events("start")
    finally:
        away.rename(jar)


def test_reports_of_a_dead_jvm_are_not_taken_for_the_new_one(instance: Instance) -> None:
    ui = instance.paths.runtime_dir / "ui.json"
    ui.write_text('{"version":1,"pid":1,"seq":1,"time":1,"focus":null,"windows":[]}')
    (instance.paths.agent_dir / "heartbeat.json").write_text("old")
    instance.run()
    report = read_report(ui)
    assert report is not None
    assert report.pid == instance.record().pid
    wait_until(
        lambda: (
            (beat := read_heartbeat(instance.paths.agent_dir / "heartbeat.json")) and beat.pid == report.pid
        ),
        "a new heartbeat",
    )


# -- stop ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "open_window", ["", "press Configure > Settings", "dialog mystery", "dialog mystery\nmenu-open File"]
)
def test_a_stop_with_the_automator_dead_leaves_through_the_menu(instance: Instance, open_window: str) -> None:
    instance.scenario(**{"dialog.mystery.text": "Nobody knows this", "dialog.mystery.buttons": "Yes|OK"})
    service = instance.run()
    instance.wait_event("login-complete")
    if open_window:
        instance.command(*open_window.splitlines())
        instance.wait_event("command", len(open_window.splitlines()))
        time.sleep(0.7)  # until the windows are there; what is open must not matter
    begin = time.monotonic()
    assert service.stop(40) == 0
    assert time.monotonic() - begin < 15
    assert [event["how"] for event in instance.events("exit")] == ["menu"]
    pressed = [event["text"] for event in instance.events("press") if event["window"] != "Configuration"]
    assert "OK" not in pressed
    assert not instance.gateway_processes()
    assert "STOPPING=1" in service.notify.lines()
    assert "Logging out through File > Close" in service.notify.statuses
    service.wait_line("IB Gateway logged out cleanly in")
    record = instance.record()
    assert record.state is GatewayState.STOPPED
    assert record.last_exit
    assert record.last_exit.code == 0
    assert not (instance.paths.runtime_dir / "ui.json").exists()
    assert not list(instance.paths.agent_dir.iterdir())
    assert not list(instance.paths.requests_dir.iterdir())
    assert [line for line in service.warnings() if "through the agent" not in line] == []


class Automator:
    """Answers one request to close, *ok* or not; presses File > Close in the first case."""

    def __init__(self, instance: Instance, *, ok: bool) -> None:
        self.requests: list[Request] = []
        self._instance, self._ok = instance, ok
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            for path in self._instance.paths.requests_dir.glob("*.json"):
                request = read(path, Request)
                if request is None:
                    continue
                self.requests.append(request)
                path.unlink()
                if self._ok:
                    self._instance.command("press File > Close")
                reply = Reply(ok=self._ok, time=time.time(), detail="something modal is on top")
                publish(self._instance.paths.replies_dir / path.name, reply)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def test_a_stop_is_the_automators_work_where_it_answers(instance: Instance) -> None:
    instance.scenario(**{"exit.confirm": "false", "delay.exit": "6"})
    service = instance.run()
    instance.wait_event("login-complete")
    automator = Automator(instance, ok=True)
    assert service.stop(40) == 0
    automator.end()
    assert [request.sender for request in automator.requests] == ["gateway"]
    assert [event["how"] for event in instance.events("exit")] == ["menu"]
    assert len(instance.events("menu-exit")) == 1
    assert service.warnings() == []
    assert not list(instance.paths.replies_dir.iterdir())


def test_a_stop_goes_through_the_agent_at_once_where_the_automator_cannot(instance: Instance) -> None:
    instance.scenario()
    service = instance.run()
    instance.wait_event("login-complete")
    automator = Automator(instance, ok=False)
    begin = time.monotonic()
    assert service.stop(40) == 0
    automator.end()
    assert time.monotonic() - begin < 4
    service.wait_line("since the automator cannot: something modal is on top")
    assert [event["how"] for event in instance.events("exit")] == ["menu"]


def test_before_the_login_a_stop_ends_the_process_by_a_signal(instance: Instance) -> None:
    instance.scenario(**{"autopilot.user": ""})
    service = instance.run()
    assert service.stop(40) == 0
    assert [event["how"] for event in instance.events("exit")] == ["signal"]
    service.wait_line("had to be killed, since it has no main window")
    assert not instance.gateway_processes()


def test_a_menu_without_effect_is_not_waited_for_for_ever(instance: Instance) -> None:
    instance.scenario(**{"delay.exit": "3600", "dialog.shutdown.title": "Other"})
    service = instance.run()
    instance.wait_event("login-complete")
    begin = time.monotonic()
    assert service.stop(110) == 0
    assert time.monotonic() - begin < 40
    service.wait_line("had to be killed, since File > Close was pressed 3 times without effect")
    assert not instance.gateway_processes()


# -- its end by itself ----------------------------------------------------------------------------------


def test_a_killed_jvm_ends_the_service_with_1_and_leaves_no_process(instance: Instance) -> None:
    service = instance.run()
    pid = instance.record().pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert service.wait_exit(15) == 1
    assert f"IB Gateway, pid {pid}: it was killed by SIGKILL" in service.journal()[-1]
    record = instance.record()
    assert record.state is GatewayState.FAILED
    assert record.last_exit
    assert record.last_exit.code == -9
    assert not instance.gateway_processes()
    # The unit removes gateway.json; the service that follows knows all the same.
    (instance.paths.runtime_dir / "gateway.json").unlink()
    instance.run()
    assert instance.record().last_exit == record.last_exit
    again = instance.run()
    assert instance.record().last_exit == record.last_exit
    assert again.process.poll() is None


def test_an_exit_by_itself_soon_after_the_start_is_a_failure(instance: Instance) -> None:
    instance.scenario()
    service = instance.run()
    instance.wait_event("login-complete")
    instance.command("exit 0")
    assert service.wait_exit(20) == 75
    assert "ended by itself after" in service.journal()[-1]
    assert len(instance.events("start")) == 1


def test_an_exit_by_itself_later_is_followed_by_a_new_start(instance: Instance) -> None:
    instance.scenario()
    service = instance.run(QUICK)
    instance.wait_event("login-complete")
    time.sleep(1.0)  # it is to have lived that long
    instance.command("exit 0")
    instance.wait_event("start", 2)
    record = wait_until(
        lambda: (r := instance.record()).state is GatewayState.RUNNING and r.restarts and r, "it runs"
    )
    assert record.restarts == 1
    assert record.pid == instance.events("start")[1]["pid"]
    assert record.last_exit
    assert record.last_exit.code == 0
    assert service.process.poll() is None


def test_a_self_restart_is_adopted_with_its_token_and_can_be_ended(instance: Instance) -> None:
    instance.scenario()
    service = instance.run()
    instance.wait_event("login-complete")
    first = instance.record().pid
    instance.command("self-restart")
    service.wait_line("IB Gateway restarts itself")
    instance.wait_event("login-complete", 2)
    record = wait_until(
        lambda: (r := instance.record()).state is GatewayState.RUNNING and r.restarts and r, "adopted"
    )
    assert record.pid == instance.events("start")[1]["pid"] != first
    assert len(instance.events("start")) == 2
    assert [event["valid"] for event in instance.events("token")] == [True]
    assert record.running_version == "10.45.1j"
    assert service.stop(40) == 0
    assert [event["how"] for event in instance.events("exit")] == ["self-restart", "menu"]
    assert not instance.gateway_processes()


def test_a_slow_self_restart_does_not_run_into_the_watchdog(instance: Instance) -> None:
    instance.scenario()
    service = instance.run(watchdog=2.0)
    instance.wait_event("login-complete")
    instance.command("self-restart")
    restarter = wait_until(
        lambda: next(filter(is_restarter, instance.gateway_processes()), None), "the restarter", interval=0.0
    )
    restarter.suspend()
    instance.wait_state(GatewayState.RESTARTING)
    begin = time.monotonic()
    time.sleep(4.0)
    assert service.notify.pings(since=begin) >= 3  # one a second is asked for
    restarter.resume()
    instance.wait_state(GatewayState.RUNNING)
    assert instance.record().restarts == 1


def test_the_jvm_of_a_killed_service_is_adopted_not_doubled(instance: Instance) -> None:
    instance.scenario()
    service = instance.run()
    instance.wait_event("login-complete")
    pid = instance.record().pid
    service.process.kill()
    service.wait_exit()
    again = instance.run()
    assert instance.record().pid == pid
    assert len(instance.events("start")) == 1
    assert instance.record().running_version == "10.45.1j"
    assert again.stop(40) == 0
    assert [event["how"] for event in instance.events("exit")] == ["menu"]
    assert not instance.gateway_processes()


# -- freezes --------------------------------------------------------------------------------------------


def test_a_frozen_event_queue_gets_no_ping_a_dump_and_an_end_by_the_watchdogs_signal(
    instance: Instance,
) -> None:
    instance.scenario()
    service = instance.run(QUICK, watchdog=2.0)
    instance.wait_event("login-complete")
    wait_until(lambda: service.notify.pings() >= 2, "pings")
    instance.command("freeze")
    record = instance.wait_state(GatewayState.FROZEN)
    assert "stands still" in record.reason
    frozen = time.monotonic()
    line = service.wait_line("IB Gateway is frozen")
    assert line.startswith("<4>")
    dumps = list(instance.paths.log_dir.glob("frozen-*-threads.txt"))
    assert len(dumps) == 1
    assert str(dumps[0]) in line
    assert "simulator.Gateway.block" in dumps[0].read_text()
    time.sleep(2.0)
    assert service.notify.pings(since=frozen) == 0
    assert service.stop(20) == 1
    assert not instance.gateway_processes()
    assert not [event for event in instance.events("exit") if event["how"] == "menu"]


def test_a_stopped_jvm_is_found_and_killed(instance: Instance) -> None:
    service = instance.run(QUICK, watchdog=2.0)
    pid = instance.record().pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    assert "its process is stopped" in instance.wait_state(GatewayState.FROZEN).reason
    frozen = time.monotonic()
    time.sleep(1.5)
    assert service.notify.pings(since=frozen) == 0
    assert service.stop(20) == 1
    assert not psutil.pid_exists(pid)


def test_a_freeze_that_passes_is_told_and_pinged_again(instance: Instance) -> None:
    instance.scenario()
    service = instance.run(QUICK, watchdog=2.0)
    instance.wait_event("login-complete")
    instance.command("block-edt 7")
    instance.wait_state(GatewayState.FROZEN)
    instance.wait_state(GatewayState.RUNNING)
    free = time.monotonic()
    wait_until(lambda: service.notify.pings(since=free) >= 2, "pings again")
    assert service.stop(40) == 0


def test_a_queue_that_is_late_by_10_s_is_left_alone(instance: Instance) -> None:
    instance.scenario()
    service = instance.run()
    instance.wait_event("login-complete")
    instance.command("block-edt 10")
    instance.wait_event("edt-blocked")
    blocked = time.monotonic()
    instance.wait_event("edt-free", timeout=20)
    assert service.notify.pings(since=blocked) >= 1
    assert instance.record().state is GatewayState.RUNNING
    assert [line for line in service.warnings() if "frozen" in line] == []


def test_a_freeze_is_found_within_one_and_a_half_watchdog_times() -> None:
    watchdog_sec = 30.0  # of units/ibga-gateway@.service
    assert f"WatchdogSec={watchdog_sec:g}\n" in Path("units/ibga-gateway@.service").read_text()
    latest_ping = runner.FROZEN_AGE + runner.LOOK_INTERVAL  # after the freeze
    assert latest_ping + watchdog_sec < 1.5 * watchdog_sec
    # And the age of a queue that is late by 10 s: with a beat every second.
    assert runner.FROZEN_AGE > 10 + 1
