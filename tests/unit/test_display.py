"""What the root window shows, and the pictures and cookies of ibga.x11."""

from pathlib import Path

import pytest

from ibga import x11
from ibga.config.settings import DisplaySettings
from ibga.display.board import Colour, compose, wrap
from ibga.display.xvfb import command
from ibga.errors import IbgaError
from ibga.runtime import Fact, Facts, Gateway, GatewayState, Session, State
from tests.support.png import pixels

UNKNOWN = Fact(ok=False, time=1.0)


def gateway(state: GatewayState, reason: str, *, progress: int | None = None) -> Gateway:
    return Gateway(state=state, reason=reason, since=1.0, progress=progress)


def session(state: State, reason: str, *, person: str = "", deadline: float | None = None) -> Session:
    facts = Facts(process=UNKNOWN, ui=UNKNOWN, api=UNKNOWN, farms=UNKNOWN)
    return Session(
        state=state, since=1.0, time=1.0, reason=reason, facts=facts, person=person, deadline=deadline
    )


def test_a_download_is_told_with_its_progress_once() -> None:
    told = gateway(GatewayState.INSTALLING, "Downloading IB Gateway 10.45.1j, 43 %", progress=43)
    untold = gateway(GatewayState.INSTALLING, "Downloading IB Gateway 10.45.1j", progress=43)
    for record in (told, untold):
        board = compose("main", record, None, silent=False)
        assert (board.instance, board.state) == ("main", "installing")
        assert board.sentence == "Downloading IB Gateway 10.45.1j, 43 %"


def test_the_session_is_told_where_the_gateway_just_runs() -> None:
    needs = session(State.NEEDS_PERSON, "IB refused the login", person="Correct it, then: ibga retry")
    board = compose("live", gateway(GatewayState.RUNNING, "IB Gateway runs"), needs, silent=False)
    assert (board.state, board.sentence, board.colour) == ("needs person", "IB refused the login", Colour.BAD)
    assert board.person == "Correct it, then: ibga retry"


def test_a_deadline_is_part_of_the_sentence() -> None:
    board = compose("main", None, session(State.SECOND_FACTOR, "Confirm", deadline=1e9), silent=False)
    assert board.sentence.startswith("Confirm (until ")


def test_a_session_that_is_no_longer_valid_is_not_shown_as_the_present() -> None:
    ready = session(State.READY, "The session is ready")
    board = compose("main", gateway(GatewayState.RUNNING, "IB Gateway runs"), ready, silent=True)
    assert board.state != "ready"
    assert board.colour is not Colour.GOOD
    alone = compose("main", None, ready, silent=True)
    assert alone.state == "waiting"


def test_before_anything_is_known_the_display_says_so() -> None:
    board = compose("main", None, None, silent=False)
    assert board.state == "waiting"
    assert board.sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("one two three", ["one two", "three"]),
        ("extraordinary", ["extra..."]),
        ("aa bb cc dd ee ff gg hh ii", ["aa bb cc", "dd ee..."]),
    ],
)
def test_text_is_wrapped_to_its_room_and_cut_with_dots(text: str, expected: list[str]) -> None:
    assert wrap(text, 8, len, lines=2) == expected


def test_a_picture_keeps_its_colours_and_rows() -> None:
    red, green, blue, white = (
        b"\0\0\xff\0",
        b"\0\xff\0\0",
        b"\xff\0\0\0",
        b"\xff\xff\xff\0",
    )  # B, G, R, unused
    rows = pixels(x11.png(2, 2, red + green + blue + white))
    assert rows == [[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 255)]]


def test_a_cookie_is_read_back_and_the_group_may_look(tmp_path: Path) -> None:
    path = tmp_path / "Xauthority"
    x11.write_cookie(path, b"0123456789abcdef")
    assert x11.read_cookie(path) == b"0123456789abcdef"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_missing_or_foreign_cookie_file_is_an_error_for_operators(tmp_path: Path) -> None:
    with pytest.raises(IbgaError, match="no X cookie"):
        x11.read_cookie(tmp_path / "none")
    (tmp_path / "foreign").write_bytes(b"\0\0something else")
    with pytest.raises(IbgaError, match="holds no X cookie"):
        x11.read_cookie(tmp_path / "foreign")


def test_x_listens_without_tcp_and_wants_its_cookie() -> None:
    line = " ".join(command(DisplaySettings(width=1280, height=800), Path("/run/x/Xauthority"), number_fd=5))
    assert "-nolisten tcp" in line
    assert "-auth /run/x/Xauthority" in line
    assert "-screen 0 1280x800x24" in line
    assert "-ac" not in line.split()
