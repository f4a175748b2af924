"""No secret gets to where others can read it: told by canaries that are searched for in every form."""

import base64
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import pytest

from ibga.automator import totp
from ibga.runtime import State
from tests.support import canaries
from tests.support.canaries import Canary, Findings, Passing, look_at_files, passing
from tests.support.container import Container
from tests.support.instance import Instance

#: Periods of TOTP that the session may take. Their codes begin with a zero, as hardly another number does.
PERIODS = 4
JOURNAL = "the journal"
COMMANDS = ("status", "status --json", "ui", "config check", "dialogs list")
#: Where secrets belong: as the administrator wrote them, and what the simulator compares them with.
THEIR_OWN = {
    "/etc/credstore/ibga.main.password",
    "/etc/credstore/ibga.main.totp",
    "/var/lib/ibga/main/simulator.properties",
}
#: systemd's copies, for one service.
CREDENTIALS = "/run/credentials/ibga-automator@main.service/"
#: Somebody who may use the command line.
MEMBER = "trader"
#: What they try to read: the first of these they may.
OTHERS = "/etc/ibga/main.toml /run/credentials/*/* /etc/credstore/* /proc/*/environ"
#: What is planted, and has to be found: in each of these places...
PLANTED_FILES = ("/var/lib/ibga/main/planted", "/run/ibga/main/planted")
PLANTED_PASSING = {"/run/ibga/main/planted", "arguments of planted", "environment of planted"}
PLANTED = {*PLANTED_FILES, *PLANTED_PASSING, JOURNAL}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _printf_q(text: str) -> str:
    script = ["bash", "-c", 'printf %q "$1"', "bash", text]
    return subprocess.run(
        script, env={"LC_ALL": "C"}, check=True, capture_output=True, timeout=10
    ).stdout.decode()


#: ... as another program would write it, in each of these forms, by its name in the search.
WRITTEN: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("plain", lambda text: f"password={text};"),
    ("hexadecimal", lambda text: f"{text};".encode().hex()),
    ("hexadecimal", lambda text: f"{text};".encode().hex(" ").upper()),
    ("base64", lambda text: _base64(f"{text};")),
    ("base64", lambda text: _base64(f":{text};")),
    ("base64", lambda text: _base64(f"::{text};")),
    ("base64 for addresses", lambda text: base64.urlsafe_b64encode(f":{text};".encode()).decode()),
    ("JSON in ASCII", lambda text: json.dumps({"password": text})),
    ("JSON", lambda text: json.dumps({"password": text}, ensure_ascii=False)),
    ("URL", lambda text: f"https://host/{quote(text, safe='')}"),
    ("form", lambda text: urlencode({"password": text})),
    ("shell, in quotes", lambda text: shlex.join(["login", text])),
    ("shell, as of printf %q", _printf_q),
    ("Python", lambda text: repr([text])),
)


@dataclass(frozen=True, slots=True)
class Story:
    """A session from start to stop, and what was found of the canaries in all that was seen and is left."""

    instance: Instance
    findings: Findings
    dumps: set[str]  # what the kernel was told of core dumps
    cores: list[str]
    report: str  # of the unknown dialog

    def of(self, *names: str) -> set[str]:
        """Where any of these canaries was found, outside of where it belongs."""
        places = self.findings.places(*names) - THEIR_OWN
        return {place for place in places if not place.startswith(CREDENTIALS)}


@pytest.fixture(scope="module")
def story(debian: Container) -> Iterator[Story]:
    instance = Instance(debian)
    debian.run("useradd", "--groups", "ibga", MEMBER)
    try:
        yield tell(instance)
    finally:
        instance.forget()
        debian.run("userdel", MEMBER)
        debian.run("rm", "-f", "/root/shot.png")


def tell(instance: Instance) -> Story:
    """Log in live with an authenticator, meet an unknown dialog, have the automator crash, and stop."""
    container = instance.container
    begin = time.time()
    first = totp.period_of(begin)
    password, username = canaries.password("password"), canaries.word("user name")
    key = canaries.totp_key(
        "key", lambda text: all(totp.code(text, first + n).startswith("0") for n in range(PERIODS))
    )
    codes = [canaries.code("code", totp.code(key.text, first + n)) for n in range(PERIODS)]
    decoys = (
        canaries.password("planted password"),
        canaries.totp_key("planted key", lambda text: True),
        canaries.code("planted code", "012345"),
    )
    findings = Findings((password, username, key, *codes, *decoys))
    configure(instance, username, password, key)
    report = instance.paths.log_dir / "unknown-dialogs"

    with passing(container, instance.paths.runtime_dir) as seen:
        instance.start()
        instance.wait_state(State.READY)
        instance.command("dialog stranger")
        container.wait_until(
            "the dialog is saved", lambda: bool(list(report.glob("[!.]*/*.png"))), timeout=20
        )
        container.run("ibga", "screenshot", "/root/shot.png")
        for command in COMMANDS:
            done = container.run("ibga", *command.split(), check=False)
            findings.look((done.stdout + done.stderr).encode(), f"ibga {command}")
        findings.look(container.systemctl("show", "*main*").encode(), "systemctl show")
        with planted(container, decoys, seen):
            look_at_files(findings, container.root, begin)
            looked = time.time()
        dumps = core_limits(container)
        readable = container.run(
            "runuser", "-u", MEMBER, "--", "sh", "-c", f"cat {OTHERS} 2>/dev/null", check=False
        )
        findings.look(readable.stdout.encode(), MEMBER)
        automator = instance.main_pid("automator")
        container.run("kill", "-SEGV", str(automator))
        container.wait_until(
            "the automator is back", lambda: instance.main_pid("automator") not in (0, automator), timeout=20
        )
        instance.command("dismiss stranger")
        instance.wait_state(State.READY)
        instance.stop()
    assert totp.period_of(time.time()) < first + PERIODS, "there were more codes than are searched for"
    for place, contents in seen.contents.items():
        for content in contents:
            findings.look(content, place)
    look_at_files(findings, container.root, looked)
    findings.look(journal(container, begin), JOURNAL)
    cores = container.run(
        "find", "/", "(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune", "-o", "-type", "f",
        "-regex", r".*/core\(\.[0-9]+\)?", "-print",
    ).stdout.split()  # fmt: skip
    [saved] = report.glob("[!.]*/report.json")
    return Story(instance, findings, dumps, cores, f"/{saved.relative_to(container.root)}")


def configure(instance: Instance, username: Canary, password: Canary, key: Canary) -> None:
    instance.configure(
        username=username.text,
        password=password.text,
        mode="live",
        scenario={
            "2fa.methods": "Mobile Authenticator app",
            "2fa.totp.secret": key.text,
            "login.user": username.text,
            "login.password": password.text,
        },
    )
    instance.container.write("/etc/credstore/ibga.main.totp", key.text, mode=0o600, group="root")


@contextmanager
def planted(container: Container, decoys: Iterable[Canary], seen: Passing) -> Iterator[None]:
    """Put the decoys wherever a secret could get to. In the end the process and the runtime file are gone."""
    texts = [write(decoy.text) for decoy in decoys for _, write in WRITTEN]
    lines = "".join(f"{text}\n" for text in texts)
    for file in PLANTED_FILES:
        container.write(file, lines)
    container.run("systemd-cat", "--identifier=planted", input=lines)
    environment = [f"PLANTED_{number}={text}" for number, text in enumerate(texts)]
    script = "open('/proc/self/comm', 'w').write('planted'); input()"
    process = subprocess.Popen(
        container.inside("env", *environment, "python3", "-c", script, *texts), stdin=subprocess.PIPE
    )
    try:
        container.wait_until(
            "what passes was looked at", lambda: seen.contents.keys() >= PLANTED_PASSING, timeout=10
        )
        yield
    finally:
        process.communicate(b"\n", timeout=10)
        container.run("rm", PLANTED_FILES[1])


def core_limits(container: Container) -> set[str]:
    """What /proc/PID/limits says of core files, of all processes of the services."""
    pids = container.run("pgrep", "-u", "ibga").stdout.split()
    limits = [container.run("cat", f"/proc/{pid}/limits", check=False).stdout for pid in pids]
    return {line for text in limits for line in text.splitlines() if line.startswith("Max core file size")}


def journal(container: Container, since: float) -> bytes:
    """All fields of all its lines; in its files they may be compressed."""
    command = container.inside(
        "journalctl", "--no-pager", "--all", "--output=export", f"--since=@{int(since)}"
    )
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout


def test_what_is_planted_is_found_in_every_place_and_form(story: Story) -> None:
    for canary in story.findings.canaries:
        if canary.name.startswith("planted"):
            written = {form for form, _ in WRITTEN if form in canary.needles}
            assert len(written) >= 3
            for place in PLANTED:
                assert story.findings.forms(canary.name, place) >= written, (canary.name, place)


def test_secrets_are_where_they_belong_and_nowhere_else(story: Story) -> None:
    assert len(story.instance.events("login")) == 1
    assert [event["result"] for event in story.instance.events("code")] == ["accepted"]
    assert story.findings.places("password") >= THEIR_OWN - {"/etc/credstore/ibga.main.totp"}
    assert story.findings.places("key") >= THEIR_OWN - {"/etc/credstore/ibga.main.password"}

    assert story.of("password", "key", "code") == set()


def test_the_user_name_is_told_only_where_it_is_needed(story: Story) -> None:
    places = {place for place in story.of("user name") if not place.startswith("/var/log/journal/")}

    assert places - {JOURNAL} <= {
        "/etc/ibga/main.toml",
        MEMBER,  # who may read the configuration
        "ibga config check",
        "/run/ibga/main/config.json",
        "/run/ibga/main/ui.json",  # while it stands in the login form
        "/var/lib/ibga/main/simulator-events.jsonl",
    }
    assert {MEMBER, JOURNAL} <= places


def test_a_crash_leaves_no_core(story: Story) -> None:
    assert [re.split(r"\s{2,}", line)[1:3] for line in story.dumps] == [["0", "0"]]
    assert story.cores == []


def test_a_member_of_the_group_looks_at_rules_and_at_a_saved_dialog(story: Story) -> None:
    container = story.instance.container

    listed = container.run("runuser", "-u", MEMBER, "--", "ibga", "dialogs", "list").stdout
    tested = container.run("runuser", "-u", MEMBER, "--", "ibga", "dialogs", "test", story.report).stdout

    assert "paper-trading-warning" in listed
    [stranger] = [part for part in tested.split("\n\n") if part.startswith("dialog ")]
    assert "no rule knows it: it would be saved and left alone" in stranger
