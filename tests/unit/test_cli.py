"""What the command line says about an instance, from the records alone."""

import time
from dataclasses import replace

import pytest

from ibga.cli.health import is_live
from ibga.cli.status import Seen, as_data, lines, size, span
from ibga.runtime import Api, ApiClient, Gateway, GatewayState, LoginsLeft, State, Vnc
from tests.support.sessions import session

NOW = time.time()


def seen(state: State | None, *, age: float = 1.0, **more: object) -> Seen:
    return Seen(
        session=session(state, **more) if state else None,  # type: ignore[arg-type]
        session_age=age,
        gateway=Gateway(
            state=GatewayState.RUNNING,
            reason="",
            since=NOW - 3700,
            running_version="10.45.1j",
            pid=1,
            restarts=2,
        ),
        api=Api(
            listening=True,
            reason="",
            since=NOW,
            address="127.0.0.1:4000",
            clients=(ApiClient(address="127.0.0.1:5555", since=NOW - 65, received=1234, sent=2_500_000),),
        ),
        vnc=Vnc(page="127.0.0.1:5800", password=True, tls=False, clients=1, since=NOW),
        unreadable=(),
    )


def test_a_person_reads_state_facts_version_clients_and_page() -> None:
    text = "\n".join(lines("main", seen(State.READY, warnings=("w1",), pending=("api.port",)), NOW))

    assert text.startswith("main: ready since ")
    for part in ("10.45.1j", "pid 1", "for 1 h 1 min", "2 restarts", "listening on 127.0.0.1:4000, 1 client"):
        assert part in text
    assert "127.0.0.1:5555 for 1 min 5 s, 1.2 kB in, 2.5 MB out" in text
    assert "http://127.0.0.1:5800/ (with password), 1 viewer" in text
    assert "warning: w1" in text
    assert "waits for a restart: api.port" in text
    assert text.count("yes (") == 4


def test_a_person_reads_what_to_do_and_until_when() -> None:
    deadline = NOW + 60
    text = "\n".join(
        lines("main", seen(State.SECOND_FACTOR, person="tap on your phone", deadline=deadline), NOW)
    )

    assert f"to do:   tap on your phone until {time.strftime('%H:%M:%S', time.localtime(deadline))}" in text


def test_a_record_that_nobody_renews_is_not_passed_on_as_the_state() -> None:
    old = seen(State.READY, age=31)

    assert as_data(old)["state"] is None
    assert as_data(old)["last_state"] == State.READY
    assert as_data(old)["stale"] is True
    text = "\n".join(lines("main", old, NOW))
    assert text.startswith("main: unknown (last: ready)")
    assert "no word from the automator for 31 s" in text


def test_the_object_has_the_documented_fields() -> None:
    data = as_data(seen(State.READY))

    assert {"state", "reason", "since", "facts", "api", "vnc", "gateway"} <= data.keys()
    assert set(data["facts"]) == {"process", "ui", "api", "farms"}
    assert data["api"]["clients"][0]["address"] == "127.0.0.1:5555"


@pytest.mark.parametrize("state", list(State))
def test_only_what_a_restart_may_mend_is_not_live(state: State) -> None:
    assert is_live(seen(state)) == (state not in ("frozen", "failed"))
    assert not is_live(seen(state, age=31))


def test_no_record_is_not_live() -> None:
    assert not is_live(seen(None))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (11_520, "3 h 12 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_length_of_time_has_two_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_a_size_has_one_decimal() -> None:
    assert [size(999), size(1500), size(2_000_000), size(3 * 10**9)] == [
        "999 B",
        "1.5 kB",
        "2.0 MB",
        "3.0 GB",
    ]


def test_a_person_reads_how_many_logins_are_left_and_when_more_come() -> None:
    record = replace(session(State.READY), logins=LoginsLeft(left=6, budget=8, more_at=NOW + 60))
    data = replace(seen(State.READY), session=record)
    clock = time.strftime("%H:%M:%S", time.localtime(NOW + 60))

    assert f"logins:  6 of 8 left in 24 h, one more at {clock}" in "\n".join(lines("main", data, NOW))
    assert as_data(data)["logins"] == {"left": 6, "budget": 8, "more_at": NOW + 60}


def test_a_person_reads_until_when_a_session_is_lent() -> None:
    text = "\n".join(lines("main", seen(State.STOPPED, deadline=NOW + 90000), NOW))
    assert f"waits:   until {time.strftime('%d %b %H:%M:%S', time.localtime(NOW + 90000))}" in text
    assert "to do" not in text
