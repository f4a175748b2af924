"""The automator's loop on files: it goes on looking, whatever it decides and whatever is in its way."""

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ibga import runtime
from ibga.automator import codes
from ibga.automator.__main__ import Automator
from ibga.automator.codes import SecondFactors
from ibga.automator.eyes import Eyes
from ibga.automator.ledger import Ledger, LedgerError, Outcome
from ibga.automator.logins import Logins
from ibga.automator.prompts import Factor
from ibga.config import Config
from ibga.config.settings import Account, Input, Login, Mode
from ibga.notify import Notifier
from ibga.paths import Paths
from ibga.runtime import Gateway, GatewayState, Request, RequestKind, State, Watch
from tests.support.deadline import wait_until
from tests.support.reports import DATA, Json, change


@pytest.fixture
def config(tmp_path: Path) -> Config:
    paths = Paths("main", tmp_path)
    for folder in (paths.agent_dir, paths.requests_dir, paths.replies_dir, paths.logins_dir, paths.log_dir):
        folder.mkdir(parents=True)
    return Config(
        paths=paths,
        account=Account(username="tester", password="secret"),
        login=Login(input=Input.AGENT),
    )


def show(config: Config, name: str, *edits: Callable[[Json], None]) -> None:
    """Have this very process pass for a gateway that shows tests/data/NAME.json."""
    report = json.loads((DATA / f"{name}.json").read_text())
    report["pid"] = os.getpid()
    for edit in edits:
        edit(report)
    runtime_dir = config.paths.runtime_dir
    (runtime_dir / "ui.json").write_text(json.dumps(report))
    gateway = Gateway(state=GatewayState.RUNNING, reason="as the test says", since=0.0, pid=os.getpid())
    runtime.publish(runtime_dir / "gateway.json", gateway)


@pytest.fixture
def automator(config: Config) -> Iterator[Callable[[], Automator]]:
    with Watch([config.paths.runtime_dir, config.paths.requests_dir]) as watch:
        yield lambda: Automator(config, Notifier(), watch)


def state_of(config: Config) -> State:
    session = runtime.read(config.paths.runtime_dir / "session.json", runtime.Session)
    assert session is not None
    return session.state


def test_the_loop_looks_again_also_when_what_it_waits_for_is_long_due(
    config: Config, automator: Callable[[], Automator]
) -> None:
    ledger = Ledger.open(config.paths, "tester")
    ledger.record(time.time() - 29.9, "paper", "main", budget=8)
    show(config, "login", change({"base": "javax.swing.JPasswordField"}, enabled=False))
    loop = automator()
    time.sleep(0.2)
    assert loop.turn() > 0


def test_a_deed_that_cannot_be_done_in_what_is_shown_is_not_tried_without_end(
    config: Config, automator: Callable[[], Automator]
) -> None:
    show(config, "main", change({"text": "Settings"}, text="Einstellungen"))
    loop = automator()
    deadline = time.monotonic() + 15
    turns = 0
    while time.monotonic() < deadline:
        pause = loop.turn()
        turns += 1
        if state_of(config) is State.NEEDS_PERSON:
            break
        time.sleep(min(pause, 0.2))
    assert state_of(config) is State.NEEDS_PERSON
    assert turns < 200


def test_credentials_that_were_refused_elsewhere_a_moment_ago_are_not_tried(config: Config) -> None:
    logins = Logins(config)
    assert logins.block() is None
    other = Logins(config)
    other.before_click()
    other.ended(Outcome.REFUSED, "Invalid username or password.")
    with pytest.raises(LedgerError, match="refused"):
        logins.before_click()


def test_a_refusal_that_could_not_be_written_is_not_forgotten(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = Logins(config)
    logins.before_click()
    with monkeypatch.context() as broken:

        def full(*_: object) -> None:
            raise LedgerError("cannot write the login ledger")

        broken.setattr(Ledger, "_write", full)
        logins.ended(Outcome.REFUSED, "Invalid username or password.")
    block = logins.block()
    assert block is not None
    assert "refused" in block.reason
    assert Logins(config).block() is not None


def test_a_request_that_nobody_waits_for_any_more_ends_no_session(
    config: Config, automator: Callable[[], Automator]
) -> None:
    show(config, "main")
    path = config.paths.requests_dir / "gateway-1.json"
    old = Request(request=RequestKind.CLOSE, time=time.time() - 3600, sender="gateway")
    runtime.publish(path, old)
    automator().turn()
    assert not path.exists()
    assert not list(config.paths.replies_dir.iterdir())
    assert state_of(config) is not State.STOPPED


def test_rubbish_among_the_requests_does_not_stop_the_loop(
    config: Config, automator: Callable[[], Automator]
) -> None:
    show(config, "main")
    (config.paths.requests_dir / "a.json").write_text("[" * 100_000)
    os.mkfifo(config.paths.requests_dir / "b.json")
    assert automator().turn() >= 0


def test_a_full_disk_does_not_stop_the_loop_and_is_told_once(
    config: Config,
    automator: Callable[[], Automator],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    show(config, "main")
    loop = automator()
    with monkeypatch.context() as full:

        def no_space(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        full.setattr(Path, "write_text", no_space)
        loop.turn()
        loop.turn()
    assert caplog.text.count("No space left") == 1
    loop.turn()
    assert state_of(config) is State.LOADING


def test_an_unknown_dialog_whose_report_has_gone_does_not_end_the_loop(
    config: Config, automator: Callable[[], Automator]
) -> None:
    show(config, "unknown")
    loop = automator()
    (config.paths.runtime_dir / "ui.json").unlink()  # as when the gateway ends just then

    def asked() -> bool:
        loop.turn()
        return state_of(config) is State.NEEDS_PERSON

    wait_until(asked, "a person is asked", timeout=20)
    assert list((config.paths.log_dir / "unknown-dialogs").iterdir())


def test_a_reload_types_all_passwords_again(config: Config, automator: Callable[[], Automator]) -> None:
    """Of a field only the length is told: of the market data's password, too (FIX CTCI)."""
    config.paths.config_dir.mkdir(parents=True)
    secret = config.paths.config_dir / "password"
    secret.touch(mode=0o600)
    secret.write_text("secret")
    toml = f'[account]\nusername = "tester"\npassword_file = "{secret}"\n'
    (config.paths.config_dir / "main.toml").write_text(toml)
    loop = automator()
    loop._session = replace(loop._session, password_in=1, second_password_in=2)
    loop.reload_wanted = True
    loop.turn()
    assert (loop._session.password_in, loop._session.second_password_in) == (None, None)


def test_a_code_that_nobody_answered_is_remembered_over_a_full_disk(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = replace(config, account=replace(config.account, mode=Mode.LIVE))
    factors = SecondFactors(live, lambda: None)
    factors.past()
    with monkeypatch.context() as full:

        def no_space(*_: object) -> None:
            raise LedgerError("cannot write the record of second factors")

        full.setattr(codes, "_write", no_space)
        factors.ended(Factor.UNANSWERED)
        assert factors.error
        monkeypatch.setattr(codes, "FRESH", -1.0)
        factors.past()
        assert factors.error, "no login while it is on no disk"
    assert len(factors.past().unanswered) == 1
    assert not factors.error
    assert len(SecondFactors(live, lambda: None).past().unanswered) == 1


def test_rules_hold_at_once_also_in_a_folder_that_comes_goes_and_is_another_one(config: Config) -> None:
    folder = config.paths.rules_dir
    folder.parent.mkdir(parents=True)
    rule = '[[dialog]]\nname = "{}"\ntitle = "Quarterly survey"\nclick = "Not now"\n'
    with Watch([config.paths.runtime_dir, config.paths.requests_dir, folder.parent]) as watch:
        eyes = Eyes(config.paths, watch, lambda: None)

        def seen(name: str, there: bool = True) -> None:
            def look() -> bool:
                eyes.wait(0.05)
                return any(each.name == name for each in eyes.rules) is there

            wait_until(look, f"the rule {name} is {'' if there else 'not '}there", timeout=5)

        seen("first", there=False)
        folder.mkdir()
        (folder / "a.toml").write_text(rule.format("first"))
        seen("first")
        folder.rename(folder.with_name("kept"))
        seen("first", there=False)
        other = folder.with_name("other")
        other.mkdir()
        other.rename(folder)
        seen("first", there=False)
        (folder / "b.toml").write_text(rule.format("second"))
        seen("second")
        (folder / "b.toml").unlink()
        seen("second", there=False)
