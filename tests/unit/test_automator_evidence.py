"""What is saved of a dialog that nothing recognises, and that no account id is in it."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tomli

from ibga.agent.report import Window, parse_report
from ibga.automator import evidence
from ibga.automator.evidence import MAX_FILE, MAX_KINDS, kind_of, save_unknown_dialog
from ibga.paths import Paths

NOW = 1_800_000_000.0
PICTURE = b"\x89PNG not really"
TEXT = "Account U1234567 (DU7654321, F4444444) has 3 open orders. Continue?"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths("main", tmp_path)


def component(number: int, base: str, text: str = "", **more: object) -> dict[str, Any]:
    return {
        "id": number,
        "class": "feature.messages.aB",
        "base": f"javax.swing.{base}",
        "text": text,
        "bounds": [10, 10 * number, 80, 20],
        "enabled": True,
        "focused": False,
        **more,
    }


def raw(
    title: str = "Notice for U1234567",
    texts: Sequence[str] = (TEXT,),
    buttons: Sequence[str] = ("Yes", "No"),
    class_name: str = "feature.messages.xYz",
) -> str:
    parts = [component(number, "JLabel", text) for number, text in enumerate(texts, 10)]
    parts += [component(number, "JButton", text) for number, text in enumerate(buttons, 20)]
    parts.append(component(30, "JPasswordField", length=7, editable=True))
    window = {
        "id": 1,
        "class": class_name,
        "base": "javax.swing.JDialog",
        "kind": "dialog",
        "title": title,
        "bounds": [0, 0, 300, 200],
        "active": True,
        "modal": True,
        "enabled": True,
        "components": parts,
    }
    return json.dumps({"version": 1, "pid": 5, "seq": 1, "time": NOW, "focus": None, "windows": [window]})


def window_of(text: str) -> Window:
    return parse_report(text).windows[0]


def save(paths: Paths, text: str, now: float = NOW) -> Path | None:
    return save_unknown_dialog(paths, window_of(text), text, PICTURE, now)


def test_everything_that_a_rule_needs_is_in_one_folder(paths: Paths) -> None:
    folder = save(paths, raw())
    assert folder is not None
    assert folder.parent == paths.log_dir / "unknown-dialogs"
    assert sorted(path.name for path in folder.iterdir()) == [
        "report.json",
        "rule.toml",
        "screenshot.png",
        "tree.txt",
    ]
    assert (folder / "screenshot.png").read_bytes() == PICTURE
    assert parse_report((folder / "report.json").read_bytes()).windows[0].find("JButton", "Yes") is not None
    tree = (folder / "tree.txt").read_text()
    assert "JButton 'Yes'" in tree
    assert "JPasswordField (editable, 7 characters)" in tree


def test_account_ids_are_masked_in_names_and_texts(paths: Paths) -> None:
    folder = save(paths, raw())
    assert folder is not None
    texts = str(folder) + "".join(path.read_text() for path in folder.iterdir() if path.suffix != ".png")
    for secret in ("1234567", "7654321", "4444444"):
        assert secret not in texts
    assert "U*******" in texts
    assert "DU*******" in texts


def test_the_skeleton_does_nothing_and_its_choices_are_valid_toml(paths: Paths) -> None:
    text = raw(
        title='Say "hi" \\ now', texts=['A "quoted" text with \\ and 中\x07'], buttons=['Do "it"\nnow']
    )
    folder = save(paths, text)
    assert folder is not None
    skeleton = (folder / "rule.toml").read_text()
    assert tomli.loads(skeleton) == {}
    lines = [line.removeprefix("#") for line in skeleton.splitlines() if not line.startswith("# ")]
    rule = tomli.loads("\n".join(lines))["dialog"][0]
    assert rule["title"] == 'Say "hi" \\ now'
    assert rule["click"] == 'Do "it" now'
    assert rule["text_contains"] in 'A "quoted" text with \\ and 中\x07'
    assert rule["class_contains"] == "messages."


def test_a_suggested_text_has_no_number_in_it(paths: Paths) -> None:
    folder = save(paths, raw())
    assert folder is not None
    assert '#text_contains = "open orders. Continue?"' in (folder / "rule.toml").read_text()


def test_a_kind_is_saved_once(paths: Paths) -> None:
    first = save(paths, raw())
    again = save(
        paths,
        raw(
            title="NOTICE for U7777777",
            texts=[TEXT.replace("1234567", "9999999").replace("3 open", "17 open")],
            class_name="feature.messages.qq",
        ),
        NOW + 60,
    )
    assert again == first
    assert len(list((paths.log_dir / "unknown-dialogs").iterdir())) == 1


@pytest.mark.parametrize(
    "other",
    [
        raw(title="Warning"),
        raw(texts=["Something else"]),
        raw(buttons=["OK"]),
        raw(class_name="twslaunch.x.b"),
    ],
)
def test_another_title_text_button_or_package_is_another_kind(other: str) -> None:
    assert kind_of(window_of(other)) != kind_of(window_of(raw()))


def test_the_oldest_kinds_make_room(paths: Paths) -> None:
    for number in range(MAX_KINDS + 5):
        save(paths, raw(title="Dialog " + chr(0x61 + number % 26) * (1 + number // 26)), NOW + number)
    folders = sorted((paths.log_dir / "unknown-dialogs").iterdir())
    assert len(folders) == MAX_KINDS
    assert "dialog-f" in folders[0].name
    assert "dialog-ccc" in folders[-1].name


def test_what_is_too_large_is_left_out_and_said(paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    text = raw()
    folder = save_unknown_dialog(paths, window_of(text), text, b"x" * (MAX_FILE + 1), NOW)
    assert folder is not None
    assert not (folder / "screenshot.png").exists()
    assert (folder / "rule.toml").exists()
    assert "screenshot.png" in caplog.text


def test_without_a_screenshot_the_rest_is_saved(paths: Paths) -> None:
    text = raw()
    folder = save_unknown_dialog(paths, window_of(text), text.encode(), None, NOW)
    assert folder is not None
    assert len(list(folder.iterdir())) == 3


def test_a_full_disk_is_a_warning_and_leaves_no_half_folder(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(window: Window, kind: str) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evidence, "rule_skeleton", full)
    with caplog.at_level(logging.WARNING):
        assert save(paths, raw()) is None
    assert "No space left on device" in caplog.text
    assert list((paths.log_dir / "unknown-dialogs").iterdir()) == []


def test_an_unusable_place_is_a_warning(paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    paths.log_dir.parent.mkdir(parents=True)
    paths.log_dir.write_text("a file")
    assert save(paths, raw()) is None
    assert "cannot save the unknown dialog" in caplog.text


def test_what_a_killed_process_left_half_done_is_removed(paths: Paths) -> None:
    left_over = paths.log_dir / "unknown-dialogs" / ".new-something"
    left_over.mkdir(parents=True)
    (left_over / "tree.txt").write_text("half")
    assert save(paths, raw()) is not None
    assert not left_over.exists()
