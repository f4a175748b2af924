"""The command line of x11vnc, and the few words of HTTP that the page needs."""

import logging
from pathlib import Path

import pytest

from ibga.config.settings import VncSettings
from ibga.errors import Exit, IbgaError
from ibga.runtime import Display, Vnc
from ibga.vnc import http, x11vnc
from ibga.vnc.__main__ import sentence

DISPLAY = Display(name=":7", xauthority="/run/x/Xauthority", width=1024, height=768, pid=1, since=1.0)


def request(target: str = "/", *, method: str = "GET", **headers: str) -> http.Request:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return http.parse("\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", ""]).encode())


def status(answer: bytes) -> int:
    return int(answer.split(b" ")[1])


def test_x11vnc_is_told_to_listen_on_no_tcp_port_of_either_kind() -> None:
    line = " ".join(x11vnc.command(DISPLAY, Path("/run/x/sock"), VncSettings()))
    assert "-rfbport 0 -rfbportv6 0" in line
    assert "-unixsock /run/x/sock" in line
    assert "-auth /run/x/Xauthority" in line


def test_view_only_and_password_are_x11vncs_to_enforce() -> None:
    open_to_all = x11vnc.command(DISPLAY, Path("/s"), VncSettings())
    assert "-viewonly" not in open_to_all
    assert "-passwdfile" not in open_to_all
    closed = x11vnc.command(DISPLAY, Path("/s"), VncSettings(view_only=True, password_file=Path("/p")))
    assert "-viewonly" in closed
    assert "-passwdfile /p" in " ".join(closed)
    assert "-nopw" not in closed


@pytest.mark.parametrize("content", ["", "\n", "  \nsecond line\n"])
def test_an_empty_password_is_a_mistake_and_not_no_password(tmp_path: Path, content: str) -> None:
    path = tmp_path / "password"
    path.write_text(content)
    with pytest.raises(IbgaError, match=r"vnc\.password_file") as caught:
        x11vnc.check_password(path)
    assert caught.value.code is Exit.CONFIG


def test_a_long_password_is_warned_of_without_telling_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "password"
    path.write_text("12345678\n")
    x11vnc.check_password(path)
    assert caplog.records == []
    path.write_text("123456789\n")
    x11vnc.check_password(path)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "123456789" not in caplog.text


def test_files_come_with_their_types(tmp_path: Path) -> None:
    (tmp_path / "core").mkdir()
    (tmp_path / "index.html").write_text("<html></html>")
    (tmp_path / "core/rfb.js").write_text("export default 1;")
    page = http.file_response(request("/?x=1"), tmp_path)
    assert status(page) == 200
    assert b"Content-Type: text/html" in page
    assert page.endswith(b"<html></html>")
    script = http.file_response(request("/core/rfb.js"), tmp_path)
    assert b"Content-Type: text/javascript" in script
    head = http.file_response(request("/core/rfb.js", method="HEAD"), tmp_path)
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length: 17" in head


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.txt",
        "/core/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "//secret.txt",
        "/link.txt",
        "/core",
        "/none.js",
        "/kind.unknown",
        "/%00.txt",
        "/" + "x" * 5000 + ".txt",
    ],
)
def test_nothing_but_files_of_the_page_is_served(tmp_path: Path, target: str) -> None:
    files = tmp_path / "files"
    (files / "core").mkdir(parents=True)
    (files / "kind.unknown").write_text("x")
    (tmp_path / "secret.txt").write_text("secret")
    (files / "link.txt").symlink_to(tmp_path / "secret.txt")
    answer = http.file_response(request(target), files)
    assert status(answer) == 404
    assert b"secret\n" not in answer.partition(b"\r\n\r\n")[2]


def test_other_methods_are_refused(tmp_path: Path) -> None:
    assert status(http.file_response(request(method="POST"), tmp_path)) == 405


@pytest.mark.parametrize("head", [b"", b"GET /\r\n\r\n", b"GET x HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
def test_what_is_no_request_is_told_so(head: bytes) -> None:
    with pytest.raises(http.BadRequest):
        http.parse(head)


def test_a_connection_is_kept_unless_a_body_may_follow() -> None:
    assert request().keep_alive
    assert not request(Connection="close").keep_alive
    assert not request(Content_Length="5").keep_alive
    assert not request(Transfer_Encoding="chunked").keep_alive


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Host": "127.0.0.1:5800", "Origin": "http://127.0.0.1:5800"}, False),
        ({"Host": "localhost:5800", "Origin": "http://localhost:5800"}, False),
        ({"Host": "[::1]:5800", "Origin": "https://[::1]:5800"}, False),
        ({"Host": "127.0.0.1:5800"}, False),  # not a browser
        ({"Host": "127.0.0.1:5800", "Origin": "https://evil.example"}, True),
        ({"Host": "127.0.0.1:5800", "Origin": "http://127.0.0.1:8080"}, True),
        ({"Host": "127.0.0.1:5800", "Origin": "null"}, True),
        # a name of the attacker that resolves to 127.0.0.1
        ({"Host": "evil.example:5800", "Origin": "http://evil.example:5800"}, True),
        # a reverse proxy
        (
            {"Host": "127.0.0.1", "Origin": "https://ibga.example", "X_Forwarded_Host": "ibga.example"},
            False,
        ),
    ],
)
def test_a_foreign_page_gets_no_websocket(headers: dict[str, str], refused: bool) -> None:
    assert bool(http.foreign(request("/websockify", **headers), local_only=True)) is refused


def test_any_name_will_do_where_more_than_this_machine_is_served() -> None:
    named = request("/websockify", Host="nas.lan:5800", Origin="http://nas.lan:5800")
    assert http.foreign(named, local_only=False) == ""


def test_the_status_says_where_and_who_looks() -> None:
    record = Vnc(page="127.0.0.1:5800", password=False, tls=False, clients=0, since=1.0)
    assert sentence(record) == "http://127.0.0.1:5800/, nobody looks"
    seen = Vnc(page="[::1]:5800", password=True, tls=True, clients=2, since=1.0)
    assert sentence(seen) == "https://[::1]:5800/, 2 viewers"
