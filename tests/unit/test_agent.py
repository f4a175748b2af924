"""The formats of the agent: what is read from ui.json and heartbeat.json, what is written to the FIFO."""

import copy
import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from ibga.agent.commands import MAX_LINE, Action, Command, close_command, encode, new_id, send
from ibga.agent.heartbeat import Pulse, read_heartbeat
from ibga.agent.report import (
    Bounds,
    NotVisible,
    Report,
    click_point,
    collapse,
    fold,
    parse_report,
    read_report,
)
from ibga.errors import IbgaError


def component(number: int, base: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "class": "jtscomponents.hf",
        "base": f"javax.swing.{base}",
        "enabled": True,
        "focused": False,
        "bounds": [10, 20, 65, 23],
        "text": text,
        **more,
    }


def data() -> dict[str, Any]:
    menu = component(
        21, "JMenu", "File", components=[component(22, "JMenuItem", "Close", bounds=[0, 0, 0, 0])]
    )
    return {
        "version": 1,
        "agent": "1",
        "pid": 4711,
        "seq": 3,
        "time": 1700000000.5,
        "focus": 12,
        "truncated": False,
        "answered": [{"id": "a-1", "ok": False, "error": "disabled"}, {"id": 7, "ok": True, "error": None}],
        "windows": [
            {
                "id": 1,
                "class": "ibgateway.aw",
                "base": "javax.swing.JFrame",
                "kind": "frame",
                "title": "IBKR Gateway",
                "bounds": [0, 0, 700, 550],
                "active": True,
                "modal": False,
                "enabled": True,
                "components": [
                    component(20, "JMenuBar", components=[menu]),
                    component(
                        11, "JLabel", " Connection\n  Status ", html="<html> Connection<br>Status</html>"
                    ),
                    component(12, "JPasswordField", editable=True, length=8),
                    component(13, "JButton", "Paper Log In", enabled=False),
                    component(14, "JButton", "paper  log in"),
                    component(
                        15,
                        "JTree",
                        row_count=1,
                        rows=[
                            {
                                "text": "API",
                                "path": ["Configuration", "API"],
                                "expanded": True,
                                "leaf": False,
                                "selected": True,
                                "bounds": [1, 2, 30, 4],
                            }
                        ],
                    ),
                    component(
                        16,
                        "JTable",
                        columns=["Purpose", "Status"],
                        row_count=1,
                        rows=[{"cells": ["API Server", "connected"]}],
                    ),
                    component(17, "JTextField", "typed", editable=True, length=5),
                    component(18, "JProgressBar", value=43, minimum=0, maximum=100, indeterminate=False),
                ],
            }
        ],
    }


def report(of: dict[str, Any] | None = None) -> Report:
    return parse_report(json.dumps(data() if of is None else of))


def test_a_report_keeps_every_field_and_passes_over_unknown_ones() -> None:
    of = data()
    of["invented"] = [1]
    of["windows"][0]["invented"] = {}
    of["windows"][0]["components"][0]["invented"] = None
    found = report(of)
    window = found.windows[0]
    assert (found.pid, found.seq, found.time, found.focus) == (4711, 3, 1700000000.5, 12)
    assert (window.kind, window.title, window.bounds) == ("frame", "IBKR Gateway", Bounds(0, 0, 700, 550))
    password = window.by_id(12)
    assert password is not None
    assert (password.length, password.text, password.editable) == (8, "", True)
    tree = window.find("JTree")
    assert tree is not None
    assert tree.rows is not None
    assert tree.rows[0].path == ("Configuration", "API")
    assert click_point(tree.rows[0]) == (16, 4)
    table = window.find("JTable")
    assert table is not None
    assert table.rows is not None
    assert (table.columns, table.rows[0].cells) == (("Purpose", "Status"), ("API Server", "connected"))
    assert table.rows[0].text == "API Server connected"
    bar = window.find("javax.swing.JProgressBar")
    assert bar is not None
    assert (bar.value, bar.minimum, bar.maximum) == (43, 0, 100)


def test_text_is_compared_without_case_and_blanks() -> None:
    window = report().windows[0]
    assert [each.id for each in window.find_all("JButton", "PAPER LOG IN")] == [13, 14]
    assert [each.id for each in window.find_all("JButton", "Paper Log In", enabled=True)] == [14]
    assert window.find("JButton", "Log In") is None
    assert collapse(" a\n\t b ") == "a b"
    assert fold("Log\u00a0In ") == fold(" log in")


def test_labels_are_what_a_person_reads_and_not_what_is_typed_or_in_menus() -> None:
    assert report().windows[0].all_text() == "Connection Status Paper Log In paper log in"


def test_answers_are_found_by_id() -> None:
    found = report()
    refused, done = found.answer("a-1"), found.answer(7)
    assert refused is not None
    assert (refused.ok, refused.error) == (False, "disabled")
    assert done is not None
    assert (done.ok, done.error) == (True, "")
    assert found.answer("7") is None


def test_a_click_goes_to_the_middle_of_the_visible_part_and_nowhere_else() -> None:
    window = report().windows[0]
    button, item = window.by_id(14), window.by_id(22)
    assert button is not None
    assert item is not None
    assert click_point(button) == (42, 31)
    with pytest.raises(NotVisible):
        click_point(item)


def test_file_close_becomes_a_click_in_the_main_window() -> None:
    assert close_command(report()) == Command(command=Action.CLICK, component=22, window=1)
    of = data()
    of["windows"][0]["components"][0]["components"][0]["components"][0]["enabled"] = False
    assert close_command(report(of)) is None
    of["windows"][0]["components"] = []
    assert close_command(report(of)) is None


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("pid",), "4711", "pid = '4711'"),
        (("pid",), True, "pid = 'True'"),
        (("seq",), None, "seq"),
        (("time",), "now", "time"),
        (("windows",), {}, "windows"),
        (("focus",), "12", "focus"),
        (("answered",), [{"id": None, "ok": True}], "answered[0]: id"),
        (("answered",), ["x"], "answered[0]"),
        (("stats",), {"walks": "many"}, "stats"),
        (("windows", 0, "title"), 5, "windows[0]: title"),
        (("windows", 0, "bounds"), [1, 2, 3], "windows[0]: bounds"),
        (("windows", 0, "components", 1, "bounds"), [1, 2, 3, "4"], "windows[0].components[1]: bounds"),
        (("windows", 0, "components", 1, "text"), ["x"], "windows[0].components[1]: text"),
        (("windows", 0, "components", 1, "enabled"), 1, "windows[0].components[1]: enabled"),
        (("windows", 0, "components", 5, "rows"), "x", "windows[0].components[5]: rows"),
        (("windows", 0, "components", 5, "rows", 0), "x", "components[5].rows[0]"),
        (("windows", 0, "components", 5, "rows", 0, "path"), [1], "components[5].rows[0]: path"),
        (("windows", 0, "components", 3), None, "windows[0].components[3]"),
    ],
)
def test_a_wrong_field_is_named_with_its_file(where: tuple[Any, ...], value: Any, said: str) -> None:
    of = data()
    at: Any = of
    for step in where[:-1]:
        at = at[step]
    at[where[-1]] = value
    with pytest.raises(IbgaError) as raised:
        parse_report(json.dumps(of), "/run/ibga/main/ui.json")
    assert str(raised.value).startswith("/run/ibga/main/ui.json: ")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b'{"version": 2}', b"\xff\xfe", b"[" * 100_000, b'{"version":1}', b"\0" * 64],
)
def test_torn_and_foreign_content_is_an_error_and_never_a_crash(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ui.json"
    path.write_bytes(content)
    with pytest.raises(IbgaError, match=r"ui\.json"):
        read_report(path)
    path = tmp_path / "heartbeat.json"
    path.write_bytes(content)
    with pytest.raises(IbgaError, match=r"heartbeat\.json"):
        read_heartbeat(path)


def test_a_report_cut_at_any_place_is_an_error() -> None:
    whole = json.dumps(data())
    for length in range(0, len(whole) - 1, 7):
        with pytest.raises(IbgaError):
            parse_report(whole[:length])


def test_mutilated_reports_are_read_or_refused_and_nothing_else() -> None:
    chance = random.Random(1)
    junk: list[Any] = [None, True, -1, 10**400, 1.5, "", "x", [], {}, [[]], {"id": 1}, float("inf")]
    refused = 0
    for _ in range(3000):
        of = copy.deepcopy(data())
        for _ in range(chance.randint(1, 3)):
            at: Any = of
            while True:
                keys = list(at) if isinstance(at, dict) else list(range(len(at)))
                if not keys:
                    break
                key = chance.choice(keys)
                if isinstance(at[key], dict | list) and chance.random() < 0.8:
                    at = at[key]
                    continue
                at[key] = copy.deepcopy(chance.choice(junk))
                break
        try:
            found = parse_report(json.dumps(of))
            for _, each in found.walk():
                assert isinstance(each.text, str)
                assert isinstance(each.bounds, Bounds)
        except IbgaError:
            refused += 1
    assert 500 < refused < 3000


def test_missing_files_mean_not_yet(tmp_path: Path) -> None:
    assert read_report(tmp_path / "ui.json") is None
    assert read_heartbeat(tmp_path / "heartbeat.json") is None


def test_a_report_of_600_components_is_parsed_in_a_few_milliseconds() -> None:
    of = data()
    parts = of["windows"][0]["components"]
    of["windows"][0]["components"] = [
        component(100 + index, "JCheckBox", f"Box {index}", selected=True, components=[parts[1]])
        for index in range(300)
    ]
    content = json.dumps(of).encode()
    best = 1.0
    for _ in range(10):
        begin = time.perf_counter()
        parse_report(content)
        best = min(best, time.perf_counter() - begin)
    assert best < 0.02  # measured: 4 ms; a loaded machine needs more


def heartbeat(path: Path, **fields: Any) -> None:
    path.write_text(
        json.dumps({"version": 1, "pid": 5, "time": 100.5, "delay": 0.001, "pending": 0} | fields)
    )


def test_the_age_of_a_turn_is_the_readers_own(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat.json"
    pulse = Pulse()
    heartbeat(path, time=0, pending=3)
    pulse.see(read_heartbeat(path), now=50)
    assert not pulse.seen  # no turn was ever made
    heartbeat(path)
    pulse.see(read_heartbeat(path), now=50)
    assert (pulse.seen, pulse.age(now=51)) == (True, 1)
    heartbeat(path, pending=7.5)  # the file changes, the turn is the same
    pulse.see(read_heartbeat(path), now=57)
    assert pulse.age(now=57) == 7
    heartbeat(path, time=20.0)  # the clock was set back, and the queue turned over
    pulse.see(read_heartbeat(path), now=58)
    assert pulse.age(now=58) == 0
    heartbeat(path, time=20.0, pid=6)  # another JVM
    pulse.see(read_heartbeat(path), now=60)
    assert pulse.age(now=60) == 0
    pulse.see(None, now=62)
    assert pulse.age(now=62) == 2


@pytest.mark.parametrize("fields", [{"pid": "5"}, {"time": None}, {"delay": True}, {"pending": []}])
def test_a_wrong_heartbeat_is_named(tmp_path: Path, fields: dict[str, Any]) -> None:
    path = tmp_path / "heartbeat.json"
    heartbeat(path, **fields)
    with pytest.raises(IbgaError, match=f"heartbeat.json: {next(iter(fields))}"):
        read_heartbeat(path)


def test_a_command_is_one_line_with_what_was_given() -> None:
    line = encode(Command(command=Action.SET_TEXT, component=5, text='é "中"\n'), "id-1")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"id": "id-1", "command": "set_text", "component": 5, "text": 'é "中"\n'}
    path = encode(Command(command=Action.CHOOSE, component=5, row=0, path=("API", "Settings")), "x")
    assert json.loads(path)["path"] == ["API", "Settings"]
    assert json.loads(path)["row"] == 0


def test_a_command_never_shows_its_text() -> None:
    assert "hunter2" not in repr(Command(command=Action.SET_TEXT, component=5, text="hunter2"))


def test_ids_are_never_used_twice() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000


def test_a_command_that_would_arrive_in_pieces_is_refused() -> None:
    fits = Command(command=Action.SET_TEXT, component=5, text="x" * (MAX_LINE - 60))
    assert len(encode(fits, "i")) <= MAX_LINE
    with pytest.raises(IbgaError, match="4096"):
        encode(Command(command=Action.SET_TEXT, component=5, text="x" * MAX_LINE), "i")


def _fill(fifo: Path, command: Command) -> None:
    for _ in range(10_000):
        send(fifo, command)


def test_sending_never_waits(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    command = Command(command=Action.CLOSE, window=1)
    with pytest.raises(IbgaError, match="is not there"):
        send(fifo, command)
    os.mkfifo(fifo)
    with pytest.raises(IbgaError, match="no agent reads"):
        send(fifo, command)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        sent = send(fifo, command)
        assert json.loads(os.read(reader, 5000)) == {"id": sent, "command": "close", "window": 1}
        with pytest.raises(IbgaError, match="is full"):
            _fill(fifo, command)
    finally:
        os.close(reader)


def test_a_command_is_never_written_into_a_plain_file(tmp_path: Path) -> None:
    plain = tmp_path / "fifo"
    plain.write_text("")
    with pytest.raises(IbgaError, match="not a FIFO"):
        send(plain, Command(command=Action.SET_TEXT, component=1, text="hunter2"))
    assert plain.read_text() == ""
