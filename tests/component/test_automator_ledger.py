"""No login without its attempt on disk: real automators that are killed, refused and restarted."""

import json
import random
import shutil
import time

from ibga.paths import Paths
from ibga.runtime import RequestKind, State
from tests.support.automator import running_rig
from tests.support.deadline import wait_until
from tests.support.form import Form, serving
from tests.support.tree import Service, Tree

KILLS = 50


def counted(paths: Paths) -> int:
    """The attempts on disk, read as a stranger would."""
    files = list(paths.logins_dir.glob("*/ledger.json"))
    return sum(len(json.loads(file.read_text())["attempts"]) for file in files)


def start(tree: Tree) -> Service:
    automator = tree.start("ibga.automator", watchdog=20.0)
    automator.wait_ready()
    return automator


def end(tree: Tree, automator: Service) -> None:
    automator.process.kill()
    automator.wait_exit()
    shutil.rmtree(tree.paths.logins_dir)
    tree.paths.logins_dir.mkdir()
    (tree.paths.runtime_dir / "automator.json").unlink(missing_ok=True)


def test_no_press_is_uncounted_whenever_the_automator_is_killed(tree: Tree) -> None:
    tree.configure(
        '[account]\nusername = "tester"\npassword = "secret"\n[login]\nbudget = 8\ninput = "agent"\n'
    )
    uncounted: list[int] = []
    pressed = 0
    delays: list[float] = []

    def press() -> None:
        if counted(tree.paths) != 1:
            uncounted.append(counted(tree.paths))

    def one(kill_after: float | None) -> Form:
        with serving(tree.paths, "tester", press) as form:
            automator = start(tree)
            assert form.typed.wait(20), automator.journal()
            typed = time.monotonic()
            if kill_after is None:
                wait_until(lambda: form.presses, "the button was pressed")
                delays.append(form.presses[0] - typed)
            else:
                time.sleep(kill_after)
            automator.process.kill()
            automator.wait_exit()
            time.sleep(0.05)  # a command that was written is still obeyed
            assert counted(tree.paths) >= len(form.presses)
            assert len(form.presses) <= 1
            end(tree, automator)
        return form

    for _ in range(3):
        one(None)
    usual = max(0.01, sorted(delays)[1])  # on a busy machine it was pressed before we woke up
    moments = random.Random(1)
    for _ in range(KILLS):
        pressed += len(one(moments.uniform(0.0, 2 * usual)).presses)

    assert uncounted == []
    # It was killed before the press as well as after it.
    assert 0 < pressed < KILLS, (pressed, usual)


def test_a_killed_automators_successor_does_not_press_again(tree: Tree) -> None:
    tree.configure('[account]\nusername = "tester"\npassword = "secret"\n[login]\ninput = "agent"\n')
    with serving(tree.paths, "tester", lambda: None) as form:
        for _ in range(4):
            automator = start(tree)
            wait_until(lambda: form.presses, "the button was pressed")
            time.sleep(0.7)
            automator.process.kill()
            automator.wait_exit()
        assert len(form.presses) == 1
    assert counted(tree.paths) == 1


def test_a_wrong_password_is_tried_once_over_restarts_and_boots_and_a_person_may_have_it_tried_again() -> (
    None
):
    secret = "wr0ng-Passw0rd"
    with running_rig(password=secret, scenario={"login.password": "right"}) as rig:
        rig.wait_state(State.NEEDS_PERSON)
        journal = rig.automator.journal()
        for boot in (False, True, False, True):
            rig.kill_automator()
            journal += rig.automator.journal()
            if boot:  # nothing of the runtime directory is left then but what is written anew
                (rig.paths.runtime_dir / "automator.json").unlink(missing_ok=True)
                (rig.paths.runtime_dir / "session.json").unlink(missing_ok=True)
            rig.start_automator()
            session = rig.wait_state(State.NEEDS_PERSON)
            assert "refused" in session.reason
            time.sleep(1.5)
        assert len(rig.events("login")) == 1
        assert session.logins is not None
        assert session.logins.left == 7

        assert not rig.request(RequestKind.LOGIN).ok
        assert len(rig.events("login")) == 1
        assert rig.request(RequestKind.RETRY).ok
        wait_until(lambda: len(rig.events("login")) == 2, "it is tried once more", timeout=20)
        rig.wait_state(State.NEEDS_PERSON)
        time.sleep(1.5)
        assert len(rig.events("login")) == 2
        rig.automator.stop()
        journal += rig.automator.journal()

    said = "\n".join(journal)
    assert "'tester'" in said
    assert secret not in said
