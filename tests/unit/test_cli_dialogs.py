"""`ibga dialogs list` and `ibga dialogs test`: what they say of the rule book and of saved reports."""

from pathlib import Path

import pytest

from ibga.cli import main
from ibga.errors import Exit
from tests.support.reports import DATA

MINE = '[[dialog]]\nname = "newer-version"\ntext_contains = "Newer Version"\nperson = "look at it"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IBGA_ROOT", str(tmp_path))
    rules = tmp_path / "etc/ibga/dialogs.d"
    rules.mkdir(parents=True)
    return rules


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["dialogs", *arguments])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def about(text: str, window: str) -> str:
    """What is said of the window whose heading has *window* in it."""
    return next(part for part in text.split("\n\n") if window in part.splitlines()[0])


def test_a_report_without_end_is_not_read_to_its_end(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ibga.cli.dialogs.MAX_FILE", 1000)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("all of it"))
    code, _, err = run(capsys, "test", "/dev/zero")
    assert code == Exit.DATA
    assert "larger than" in err


def test_the_list_names_rules_files_conditions_and_deeds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "list")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "leave alone" in lines["connecting"]
    assert "api.incoming = local" in lines["incoming-from-here"]
    assert "click 'Yes' or 'OK'" in lines["incoming-from-here"]
    assert "when = configuring" in lines["port-change"]
    assert all("shipped" in line for name, line in lines.items() if name != "RULE")


def test_the_list_shows_what_is_overridden_and_what_is_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.toml").write_text(MINE)
    (folder / "wrong.toml").write_text(MINE.replace("newer-version", "x").replace("person", "perzon"))
    code, out, err = run(capsys, "list")
    assert code == Exit.CONFIG
    lines = [line for line in out.splitlines() if line.startswith("newer-version ")]
    assert len(lines) == 1
    assert f"{folder / 'mine.toml'} (instead of the shipped one)" in lines[0]
    assert f"{folder / 'wrong.toml'}: dialog x: no such key: perzon (did you mean person?" in err


def test_a_report_is_explained_window_by_window(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "test", str(DATA / "restart-now.json"))
    assert code == 0
    assert "the main window" in about(out, "ibgateway.aw")
    said = about(out, "feature.messages")
    assert "reads: 'Would you like to restart now?'" in said
    assert "rule restart-now of" in said
    assert "would click 'No'" in said
    assert "decoy" not in out


def test_an_unknown_dialog_and_the_operators_rule_for_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(DATA / "unknown.json")
    assert "no rule knows it" in about(run(capsys, "test", file)[1], "Quarterly")
    (folder / "a.toml").write_text('[[dialog]]\nname = "s"\ntitle = "Quarterly survey"\nclick = "Not now"\n')
    assert "would click 'Not now'" in about(run(capsys, "test", file)[1], "Quarterly")
    (folder / "a.toml").write_text('[[dialog]]\nname = "s"\ntitle = "Quarterly survey"\nclick = "Never"\n')
    assert "would press nothing: no button says 'Never'" in about(run(capsys, "test", file)[1], "Quarterly")


def test_near_misses_say_what_is_not_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.toml").write_text(
        '[[dialog]]\nname = "s"\ntitle = "Quarterly survey"\ntext_contains = "taxes"\nclick = "OK"\n'
        '[[dialog]]\nname = "t"\ntitle = "Quarterly survey"\nwhen = "login"\nclick = "Not now"\n'
    )
    file = str(DATA / "unknown.json")
    said = about(run(capsys, "test", file)[1], "Quarterly")
    assert "not s: text_contains = 'taxes' is not so" in said
    assert "not t: counts only under when = login" in said
    assert "would click 'Not now'" in about(run(capsys, "test", file, "--state", "login")[1], "Quarterly")


def test_settings_of_the_instance_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(DATA / "order.json")
    assert "would ask a person" in about(run(capsys, "test", file)[1], "Market Order")
    (folder.parent / "main.toml").write_text('[notices]\norder = "accept"\n')
    assert "would tick" in about(run(capsys, "test", file)[1], "Market Order")


def test_the_question_whether_to_exit_is_ours_only_while_closing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(DATA / "exit-confirmation.json")
    assert "would ask a person" in run(capsys, "test", file)[1]
    assert "would click 'Yes'" in run(capsys, "test", file, "--closing")[1]


def test_windows_that_no_rule_is_for_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, words in {
        "login": "the login form", "progress": "never clicked", "2fa-code": "a second factor",
        "existing": "another session", "settings": "the settings",
    }.items():  # fmt: skip
        assert words in run(capsys, "test", str(DATA / f"{name}.json"))[1], name


def test_every_recorded_report_can_be_explained(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in DATA.glob("*.json"):
        assert run(capsys, "test", str(path))[0] == 0, path


@pytest.mark.parametrize(
    ("content", "code"), [(None, Exit.DATA), ("{}", Exit.DATA), ("[[dialog]]", Exit.DATA)]
)
def test_what_is_no_report_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], content: str | None, code: Exit
) -> None:
    file = folder / "report.json"
    if content is not None:
        file.write_text(content)
    found, _, err = run(capsys, "test", str(file))
    assert found == code
    assert str(file) in err


def test_a_state_that_is_none_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "test", "--state", "asleep", "x.json")
    assert code == Exit.USAGE
    assert "needs-person" in err
