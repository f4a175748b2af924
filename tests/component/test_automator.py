"""The automator against the simulated gateway on a real JVM and a real X server."""

import hashlib
import multiprocessing
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ibga import runtime
from ibga.config.settings import Input
from ibga.runtime import State
from tests.support.automator import HARD_PASSWORD, Rig, running_rig
from tests.support.deadline import wait_until
from tests.support.logins import SCENARIO, log_in_repeatedly

HARD_LOGINS = int(os.environ.get("IBGA_LOGINS", "15"))  # by each way; the nightly run takes 100


def logged_in_once(rig: Rig, password: str) -> None:
    """Exactly one login was made, with the right name and every character of the password."""
    logins = rig.events("login")
    assert [event["user"] for event in logins] == ["tester"]
    assert logins[0]["password_sha256"] == hashlib.sha256(password.encode()).hexdigest()


@contextmanager
def halted(rig: Rig) -> Iterator[None]:
    """The gateway stands still, so that its agent does not write over what a test puts in its place."""
    rig.gateway.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        rig.gateway.process.send_signal(signal.SIGCONT)


def test_paper_login_gets_ready_by_mouse_and_keyboard_alone() -> None:
    with running_rig(password="secret") as rig:
        session = rig.wait_state(State.READY)

        logged_in_once(rig, "secret")
        assert rig.events("login")[0]["mode"] == "paper"
        assert rig.presses("paper") == ["I understand and accept"]
        assert {event["by"] for event in rig.events("press") if event["dialog"] != "main"} == {"mouse"}
        assert session.facts.process.ok
        assert session.facts.ui.ok
        assert session.facts.api.ok
        assert session.facts.farms.ok
        assert rig.events("api-listen")[-1]["port"] == session.api_port
        changed = {(event["key"], event["new"]) for event in rig.events("setting")}
        assert changed == {("socketPort", str(session.api_port)), ("readOnlyApi", "false")}
        # Set in one dialog, read back in another, and that one left without a change.
        assert rig.presses("settings") == ["Read-Only API", "OK", "Cancel"]
        assert not rig.events("api-bare-connect")
        assert not rig.automator.warnings()


def test_live_login_gets_ready() -> None:
    with running_rig(mode="live") as rig:
        rig.wait_state(State.READY)

        logged_in_once(rig, "secret")
        assert rig.events("login")[0]["mode"] == "live"
        assert rig.presses("paper") == []


@pytest.mark.parametrize("way", ["xtest", "agent"])
def test_a_hard_password_arrives_intact_by_each_way_alone(way: str) -> None:
    with running_rig(password=HARD_PASSWORD, login=f'input = "{way}"') as rig:
        rig.wait_state(State.READY)

        logged_in_once(rig, HARD_PASSWORD)
        by = {"xtest": {"mouse"}, "agent": {"program"}}[way]
        assert {event["by"] for event in rig.events("press", dialog="login")} == by


def test_a_build_with_other_classes_titles_and_a_table_gets_ready_on_a_small_screen() -> None:
    scenario = {
        "title": "Interactive Brokers Gateway",
        "classes": "odd",
        "html.labels": "true",
        "main.status": "table",
        "login.apiText": "TWS/API",
        "exit.confirm": "false",
        "settings.rowGap": "30",
        "login.stays": "true",
    }
    with running_rig(scenario=scenario, size="800x600") as rig:
        session = rig.wait_state(State.READY)

        assert session.facts.farms.ok


def test_region_and_time_zone_are_chosen_where_configured() -> None:
    with running_rig(login='region = "Asia"\ntimezone = "Asia/Hong_Kong"') as rig:
        rig.wait_state(State.READY)

        login = rig.events("login")[0]
        assert (login["region"], login["time_zone"]) == ("Asia", "Asia/Hong Kong")


def test_region_and_time_zone_are_chosen_by_mouse_and_keyboard_alone() -> None:
    with running_rig(login='input = "xtest"\nregion = "Europe"\ntimezone = "Europe/Zurich"') as rig:
        rig.wait_state(State.READY)

        login = rig.events("login")[0]
        assert (login["region"], login["time_zone"]) == ("Europe", "Europe/Zurich")


def test_settings_that_are_right_are_left_with_cancel() -> None:
    with running_rig() as rig:
        port = rig.wait_state(State.READY).api_port
        (rig.paths.runtime_dir / "automator.json").unlink()
        rig.kill_automator()
        before = len(rig.events("setting"))

        rig.start_automator()
        wait_until(lambda: rig.presses("settings").count("Cancel") == 2, "the settings were looked at again")

        assert rig.wait_state(State.READY).api_port == port
        assert len(rig.events("setting")) == before


@pytest.mark.parametrize("outcome", ["login-failed", "login-failed-long", "unrecognized"])
def test_wrong_credentials_are_tried_once_also_after_a_restart(outcome: str) -> None:
    with running_rig(scenario={"login.outcomes": outcome}) as rig:
        session = rig.wait_state(State.NEEDS_PERSON)
        assert "refused" in session.reason
        wait_until(lambda: rig.presses(outcome) == ["OK"], "the notice was answered")

        rig.kill_automator()
        rig.start_automator()
        time.sleep(3)  # a second attempt would come within one

        assert rig.wait_state(State.NEEDS_PERSON).person
        assert len(rig.events("login")) == 1


def test_corrected_credentials_are_tried_after_a_reload() -> None:
    with running_rig(password="wrong", scenario={"login.password": "right"}) as rig:
        rig.wait_state(State.NEEDS_PERSON)
        (rig.paths.config_dir / "password").write_text("right")

        rig.automator.process.send_signal(signal.SIGHUP)

        rig.wait_state(State.READY)
        assert [event["result"] for event in rig.events("login-result")] == ["login-failed", "ok"]


def test_an_automatic_restart_with_its_token_needs_no_login() -> None:
    with running_rig(scenario={"restart.token": "ok"}) as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("self-restart")
        ended = rig.gateway.wait_for("exit", how="self-restart")
        pid = int(wait_until(lambda: rig.gateway_started_after(ended), "its successor")["pid"])
        try:
            rig.publish_gateway(pid=pid)
            wait_until(
                lambda: (
                    (session := rig.session())
                    and session.state is State.READY
                    and session.facts.process.detail == f"process {pid}"
                ),
                "the new process is ready",
                timeout=40,
            )
            assert len(rig.events("login")) == 1
            assert not rig.automator.warnings()
        finally:
            os.kill(pid, signal.SIGKILL)


def test_a_login_that_failed_for_another_reason_is_tried_later() -> None:
    with running_rig(scenario={"login.outcomes": "too-many,ok", "dialog.too-many.text": TOO_MANY}) as rig:
        rig.wait_state(State.READY)

        first, second = rig.events("login")
        assert second["time"] - first["time"] > 4.0


TOO_MANY = "Too many failed login attempts. Please wait 1 second before attempting to re-login again."


def test_an_unknown_dialog_is_left_alone_saved_and_told() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.show("unknown")

        rig.wait_state(State.NEEDS_PERSON)
        # The state is told first; where the evidence is, once it is there.
        session = wait_until(
            lambda: (
                told
                if (told := runtime.read(rig.paths.runtime_dir / "session.json", runtime.Session))
                and "unknown-dialogs" in told.person
                else None
            ),
            "the session tells where the evidence is",
        )
        folders = list((rig.paths.log_dir / "unknown-dialogs").iterdir())
        assert len(folders) == 1
        assert {each.name for each in folders[0].iterdir()} >= {"rule.toml", "tree.txt", "screenshot.png"}
        assert str(folders[0]) in session.person
        assert not session.facts.ui.ok
        assert rig.presses("unknown") == []
        assert any("unknown dialog" in line for line in rig.automator.warnings())

        # The operator writes a rule: it holds at once.
        (rig.paths.rules_dir / "survey.toml").write_text(
            '[[dialog]]\nname = "survey"\ntitle = "Quarterly survey"\nclick = "Not now"\n'
        )
        rig.wait_state(State.READY)
        assert rig.presses("unknown") == ["Not now"]


#: Dialog of the simulator, what has to be pressed; None: nothing at all.
ANSWERS = [
    ("bid-ask", ["Don't display this message again.", "I understand - display market data"]),
    ("auto-restart-info", ["OK"]),
    ("restart-now", ["No"]),
    ("newer", ["OK"]),
    ("desupported", ["OK"]),
    ("exit-session", ["OK"]),
    ("no-settings", ["OK"]),
    ("nse", ["OK"]),
    ("incoming", ["No"]),
]


def test_known_dialogs_are_answered_each_with_its_button() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("sequence " + ",".join(name for name, _ in ANSWERS))

        last = ANSWERS[-1][0]
        wait_until(lambda: rig.events("window-closed", dialog=last), "all were answered", timeout=30)

        assert [(name, rig.presses(name)) for name, _ in ANSWERS] == ANSWERS
        rig.wait_state(State.READY)


@pytest.mark.parametrize("reuse", ["false", "true"])
def test_stacked_and_reused_windows_get_each_their_own_button(reuse: str) -> None:
    with running_rig(scenario={"dialogs.reuse": reuse}) as rig:
        rig.wait_state(State.READY)
        names = ["restart-now", "newer", "auto-restart-info"]
        if reuse == "true":
            rig.gateway.command("sequence " + ",".join(names))
        else:
            rig.gateway.command("dialog " + " ".join(names))

        wait_until(lambda: all(rig.presses(name) for name in names), "all were answered", timeout=20)

        assert [rig.presses(name) for name in names] == [["No"], ["OK"], ["OK"]]


@pytest.mark.parametrize("name", ["exit-confirmation", "reconnect", "login-messages", "lite", "blind"])
def test_what_is_for_people_is_left_to_them(name: str) -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.show(name)

        assert rig.wait_state(State.NEEDS_PERSON).person
        time.sleep(0.5)
        assert rig.presses(name) == []


def test_the_write_access_notice_is_closed_not_answered() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.show("write-access")

        wait_until(lambda: rig.events("window-closed", dialog="write-access"), "it was closed", timeout=10)
        assert rig.presses("write-access") == []


def test_a_second_factor_is_asked_of_a_person_with_its_deadline() -> None:
    with running_rig(mode="live", scenario={"login.outcomes": "2fa-push+ok"}) as rig:
        session = rig.wait_state(State.SECOND_FACTOR)
        assert session.deadline is not None
        assert 170 < session.deadline - time.time() <= 180
        assert rig.presses("2fa-push") == []

        rig.gateway.command("dismiss 2fa-push")
        time.sleep(0.5)
        assert rig.presses("2fa-push") == []


def test_the_progress_of_a_connecting_login_is_never_clicked() -> None:
    with running_rig(scenario={"login.outcomes": "connecting+ok"}) as rig:
        rig.gateway.wait_for("window-shown", dialog="connecting", timeout=40)
        time.sleep(4)
        assert rig.presses("connecting") == []


def close_and_expect_exit(rig: Rig) -> None:
    reply = rig.request_close()

    assert reply.ok, (reply, rig.automator.journal()[-10:])
    assert rig.gateway.wait(10) == 0
    assert rig.events("exit")[-1]["how"] == "menu"


def test_a_request_to_close_logs_out_through_the_menu() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        close_and_expect_exit(rig)
        assert rig.presses("exit-confirmation") == ["Yes"]


def test_close_works_with_the_settings_window_open() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("press Configure > Settings")
        before = len(rig.events("window-shown", dialog="settings"))
        wait_until(
            lambda: len(rig.events("window-shown", dialog="settings")) > before - 1, "the settings are open"
        )
        close_and_expect_exit(rig)


@pytest.mark.parametrize("menu", ["File", "Help"])
def test_close_works_with_a_menu_open(menu: str) -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.gateway.command(f"menu-open {menu}")
        time.sleep(0.5)
        close_and_expect_exit(rig)


def test_close_is_declined_at_once_under_an_unknown_dialog() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.show("unknown")
        asked = time.monotonic()

        reply = rig.request_close()

        assert not reply.ok
        assert "Quarterly survey" in reply.detail
        assert time.monotonic() - asked < 2.0
        assert rig.presses("unknown") == []


def test_close_is_declined_where_nobody_is_logged_in() -> None:
    with running_rig(scenario={"login.outcomes": "login-failed"}) as rig:
        rig.wait_state(State.NEEDS_PERSON)
        assert not rig.request_close().ok


def test_a_killed_automator_goes_on_in_mid_login_and_logs_in_once() -> None:
    with running_rig(password=HARD_PASSWORD) as rig:
        wait_until(
            lambda: [each for each in rig.events("typed", kind="JPasswordField") if each["length"] > 8],
            "the password is being typed",
            timeout=30,
            interval=0.002,
        )
        rig.kill_automator()
        rig.start_automator()

        rig.wait_state(State.READY)
        logged_in_once(rig, HARD_PASSWORD)


def test_a_killed_automator_does_not_log_in_again_after_the_click() -> None:
    with running_rig(scenario={"delay.welcome": "3"}) as rig:
        rig.gateway.wait_for("login", timeout=40)
        rig.kill_automator()
        rig.start_automator()

        rig.wait_state(State.READY)
        logged_in_once(rig, "secret")


def test_a_killed_automator_finds_a_ready_session_and_touches_nothing() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        presses = len(rig.events("press"))
        rig.kill_automator()
        started = time.time()
        rig.start_automator()

        wait_until(
            lambda: (s := rig.session()) and s.time > started and s.state is State.READY, "ready again"
        )
        assert len(rig.events("press")) == presses


def test_a_lost_connection_shows_as_reconnecting_and_comes_back() -> None:
    with running_rig(scenario={"delay.reconnectAttempt": "1"}) as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("lose-connection")
        rig.wait_state(State.RECONNECTING)
        rig.gateway.command("restore-connection")
        rig.wait_state(State.READY)
        assert len(rig.events("login")) == 1


def test_a_blocked_event_queue_shows_as_frozen_only_after_fifteen_seconds() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        rig.gateway.command("freeze")
        blocked = time.monotonic()

        rig.wait_state(State.FROZEN, timeout=30)

        assert 14.0 < time.monotonic() - blocked < 22.0


def test_a_report_of_another_process_is_not_believed() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        report = rig.paths.runtime_dir / "ui.json"
        text = report.read_text().replace(f'"pid":{rig.gateway.process.pid}', '"pid":1')
        new = report.with_name(".foreign")
        new.write_text(text)
        with halted(rig):
            new.replace(report)
            session = wait_until(
                lambda: s if (s := rig.session()) and s.state is not State.READY else None,
                "not ready any more",
            )
        assert not session.facts.ui.ok


def test_a_torn_report_is_named_and_the_session_goes_on() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        report = rig.paths.runtime_dir / "ui.json"
        with halted(rig):
            report.write_bytes(report.read_bytes()[:1000])
            rig.automator.wait_line("ui.json: not JSON")
            time.sleep(0.5)
            session = rig.session()
        assert session is not None
        assert session.state is State.READY


def test_nothing_is_clicked_while_the_ledger_cannot_be_written() -> None:
    with running_rig() as rig:  # its JVM takes longer to show a window than this
        shutil.rmtree(rig.paths.logins_dir)
        rig.paths.logins_dir.write_text("not a folder")

        session = rig.wait_state(State.NEEDS_PERSON)
        assert "ledger" in session.reason
        assert rig.events("login") == []


def test_a_spent_budget_waits_for_the_next_day() -> None:
    with running_rig(
        login="budget = 1", scenario={"login.outcomes": "too-many", "dialog.too-many.text": TOO_MANY}
    ) as rig:
        session = rig.wait_state(State.NEEDS_PERSON)
        assert session.deadline is not None
        assert session.deadline > time.time() + 23 * 3600
        assert len(rig.events("login")) == 1


def test_the_password_is_in_no_file_and_no_line_of_the_journal() -> None:
    secret = "Tr0ub4dor&3-not-to-be-seen"
    with running_rig(password=secret) as rig:
        rig.wait_state(State.READY)
        rig.automator.stop()

        assert secret not in "\n".join(rig.automator.journal())
        files = [path for path in rig.paths.runtime_dir.rglob("*") if path.is_file()]
        assert not [path for path in files if secret.encode() in path.read_bytes()]


def test_the_record_is_renewed_while_nothing_happens() -> None:
    with running_rig() as rig:
        first = rig.wait_state(State.READY)
        time.sleep(13)
        session = rig.session()
        assert session is not None
        assert session.time - first.time >= 8
        assert session.since == first.since
        assert runtime.age(rig.paths.runtime_dir / "session.json") is not None


def test_ready_means_that_the_port_answers() -> None:
    with running_rig() as rig:
        session = rig.wait_state(State.READY)
        assert session.api_port is not None
        with socket.create_connection(("127.0.0.1", session.api_port), timeout=5) as client:
            client.sendall(b"API\0\0\0\0\x09v100..178")
            assert client.recv(4)


@pytest.mark.parametrize("way", [Input.XTEST, Input.AGENT])
def test_a_hard_password_arrives_intact_again_and_again_while_all_cores_are_busy(way: Input) -> None:
    burners = [multiprocessing.Process(target=burn, daemon=True) for _ in range(multiprocessing.cpu_count())]
    with running_rig(idle=True, scenario=SCENARIO) as rig:
        for burner in burners:
            burner.start()
        try:
            intact = log_in_repeatedly(rig, way, HARD_PASSWORD, HARD_LOGINS)
        finally:
            for burner in burners:
                burner.kill()
                burner.join()

        assert intact == [True] * HARD_LOGINS


def burn() -> None:
    while True:
        pass


def test_a_restart_takes_ready_back_for_no_moment() -> None:
    with running_rig() as rig:
        rig.wait_state(State.READY)
        seen = []
        over = threading.Event()

        def watch() -> None:
            while not over.wait(0.001):
                seen.append(rig.session())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            for _ in range(3):
                rig.kill_automator()
                before = rig.session()
                assert before is not None
                rig.start_automator()
                wait_until(
                    lambda before=before: (s := rig.session()) and s.time > before.time,  # type: ignore[misc]
                    "the next one has spoken",
                )
                time.sleep(1)
        finally:
            over.set()
            watcher.join()
        assert {each.state for each in seen if each} == {State.READY}
