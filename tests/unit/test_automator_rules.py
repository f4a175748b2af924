"""The rule book: what a rule may say, how mistakes are met, and who overrides whom."""

from dataclasses import replace
from pathlib import Path

import pytest

from ibga.agent.report import Window
from ibga.automator import rulebook, rules
from ibga.automator.rules import Event, Rule
from ibga.config.settings import Notice, Notices
from ibga.runtime import State
from tests.support.reports import CONFIG, change, recorded

GOOD = '[[dialog]]\nname = "mine"\ntitle = "Quarterly survey"\nclick = "Not now"\n'


def load(tmp_path: Path, **files: str) -> tuple[dict[str, Rule], list[str]]:
    """Return the rules by name and the mistakes, with *files* in the operator's folder."""
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, tmp_path)
    return {rule.name: rule for rule in loaded}, [str(mistake) for mistake in mistakes]


def dialog(name: str, title: str) -> Window:
    return next(window for window in recorded(name).windows if window.title == title)


def find(rule: Rule, window: Window, state: State = State.READY, *, asked: bool = False) -> Rule | None:
    return rules.find((rule,), window, state, CONFIG, asked=asked)


def test_an_operators_rule_is_added(tmp_path: Path) -> None:
    found, mistakes = load(tmp_path, survey=GOOD)
    assert mistakes == []
    assert found["mine"].click == ("Not now",)
    assert "paper-trading-warning" in found


def test_an_operators_rule_overrides_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    override = '[[dialog]]\nname = "newer-version"\ntext_contains = "Newer"\nperson = "look"\n'
    found, _ = load(tmp_path, mine=override)
    assert found["newer-version"].person == "look"
    assert found["newer-version"].click == ()


def test_the_last_file_wins_among_the_operators_own(tmp_path: Path) -> None:
    found, _ = load(tmp_path, a=GOOD, b=GOOD.replace("Not now", "Very much"))
    assert found["mine"].click == ("Very much",)


def test_operators_rules_come_first(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        '[[dialog]]\nname = "mine"\ntext_contains = "Newer Version"\nignore = true\n'
    )
    loaded, _ = rulebook.load(rulebook.BUILT_IN, tmp_path)
    window = next(each for each in recorded("newer").windows if each.kind == "dialog")
    found = rules.find(loaded, window, State.READY, CONFIG, asked=False)
    assert found is not None
    assert found.name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not toml at all", "not TOML"),
        ('[[dialog]]\nname = "x"\nclick = "OK"\n', "nothing to know it by"),
        ('[[dialog]]\nname = "x"\ntitle = "T"\n', "not exactly one of"),
        ('[[dialog]]\nname = "x"\ntitle = "T"\nclick = "OK"\nignore = true\n', "not exactly one of"),
        ('[[dialog]]\ntitle = "T"\nclick = "OK"\n', "no name"),
        ('[[dialog]]\nname = "x"\ntitel = "T"\ntitle = "T"\nclick = "OK"\n', "no such key: titel"),
        ('[[dialog]]\nname = "x"\ntitle_matches = "("\nclick = "OK"\n', "not a regular expression"),
        (
            '[[dialog]]\nname = "x"\ntitle_matches = "a{99999999999999999999}"\nclick = "OK"\n',
            "not a regular expression",
        ),
        (
            f'[[dialog]]\nname = "x"\ntitle_matches = "{"(" * 5000}a{")" * 5000}"\nclick = "OK"\n',
            "not a regular expression",
        ),
        ('[[dialog]]\nname = "x"\ntitle = "T"\nclick = 1\n', "neither a text nor a list"),
        ('[[dialog]]\nname = "x"\ntitle = "T"\nwhen = ["awake"]\nclick = "OK"\n', "not among the states"),
        ('[[dialog]]\nname = "x"\ntitle = "T"\nthen = "party"\nclick = "OK"\n', "not one of"),
        (
            '[[dialog]]\nname = "x"\ntitle = "T"\nclick = "OK"\nconfig = { "api.colour" = "red" }\n',
            "no such setting",
        ),
        (
            '[[dialog]]\nname = "x"\ntitle = "T"\nclick = "OK"\nconfig = { "account.password" = "x" }\n',
            "no such setting",
        ),
        ('[[dialog]]\nname = "x"\ntitle = "T"\ncheck = "B"\nignore = true\n', "check goes with click"),
        ('[dialog]\nname = "x"\n', "two brackets"),
        ('[[dialog]]\nname = "x"\ntitel = "T"\ntitle = "T"\nclick = "OK"\n', "did you mean title?"),
        ('[[dialog]]\nname = "x"\ntext_contains = " "\nclick = "OK"\n', "every window has"),
        ('[[dialog]]\nname = "x"\ntext_matches = "(news)?"\nclick = "OK"\n', "every window"),
        ('[[dialog]]\nname = "x"\nbutton = " "\nclick = "OK"\n', "neither a text nor a list"),
        (
            '[[dialog]]\nname = "x"\ntitle = "T"\nclick = "OK"\nconfig = { "notices.order" = "yes" }\n',
            "one of accept, dismiss, ask",
        ),
        ('[[dialogue]]\nname = "x"\n', "no such table: dialogue"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_costs_only_itself(tmp_path: Path, text: str, said: str) -> None:
    found, mistakes = load(tmp_path, bad=text, good=GOOD)
    assert len(mistakes) == 1
    assert said in mistakes[0]
    assert "bad.toml" in mistakes[0]
    assert "mine" in found
    assert "x" not in found


def test_a_wrong_rule_beside_a_good_one_in_one_file_is_left_out(tmp_path: Path) -> None:
    found, mistakes = load(tmp_path, both='[[dialog]]\nname = "x"\n' + GOOD)
    assert "dialog x" in mistakes[0]
    assert "mine" in found


@pytest.mark.parametrize(
    ("rule", "known"),
    [
        (Rule(name="r", title="QUARTERLY  survey", click=("OK",)), True),
        (Rule(name="r", title="Quarterly", click=("OK",)), False),
        (Rule(name="r", title_contains="quarterly", click=("OK",)), True),
        (Rule(name="r", title_matches="^quarterly s", click=("OK",)), True),
        (Rule(name="r", text_contains="TRADING with us", click=("OK",)), True),
        (Rule(name="r", text_contains="Not now", click=("OK",)), False),  # a caption is no text
        (Rule(name="r", text_matches="how do .* like", click=("OK",)), True),
        (Rule(name="r", class_contains="feature.messages.", click=("OK",)), True),
        (Rule(name="r", class_contains="feature.configure.", click=("OK",)), False),
        (Rule(name="r", title="Quarterly survey", text_contains="something else", click=("OK",)), False),
        (Rule(name="r", title="Quarterly survey", when=(State.LOADING,), click=("OK",)), False),
        (Rule(name="r", title="Quarterly survey", when=(State.LOADING, State.READY), click=("OK",)), True),
        (Rule(name="r", title="Quarterly survey", asked=True, click=("OK",)), False),
    ],
)
def test_a_rule_knows_a_window_by_all_of_its_signs(rule: Rule, known: bool) -> None:
    window = dialog("unknown", "Quarterly survey")
    assert (find(rule, window) is rule) is known


def test_a_rule_may_hold_under_a_setting_only() -> None:
    rule = Rule(name="r", title="Quarterly survey", config=(("notices.order", "accept"),), click=("OK",))
    window = dialog("unknown", "Quarterly survey")
    assert find(rule, window) is None
    config = replace(CONFIG, notices=Notices(order=Notice.ACCEPT))
    assert rules.find((rule,), window, State.READY, config, asked=False) is rule


def test_the_first_caption_that_is_there_is_the_target() -> None:
    window = dialog("unknown", "Quarterly survey")
    rule = Rule(name="r", title="Quarterly survey", click=("Never", "not now."))
    target = rules.target(rule, window)
    assert target is not None
    assert target.text == "Not now"


def test_a_disabled_button_is_no_target_and_no_other_is_taken_for_it() -> None:
    report = recorded("unknown", change({"text": "Very much"}, enabled=False))
    window = next(each for each in report.windows if each.title == "Quarterly survey")
    rule = Rule(name="r", title="Quarterly survey", click=("Very much", "Not now"))
    assert rules.target(rule, window) is None


def test_events_are_told_by_their_names() -> None:
    rule = rulebook.parse({"name": "r", "title": "T", "click": "OK", "then": "login-failed"})
    assert rule.then is Event.LOGIN_FAILED


def test_a_button_is_a_sign() -> None:
    window = dialog("unknown", "Quarterly survey")
    assert find(Rule(name="r", button=("Nowhere", "not now"), click=("Not now",)), window) is not None
    assert find(Rule(name="r", button=("Nowhere",), click=("Not now",)), window) is None


def test_no_operators_rule_comes_before_what_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[dialog]]\nname = "all"\ntitle = "Gateway"\nclick = "OK"\n')
    loaded, _ = rulebook.load(rulebook.BUILT_IN, tmp_path)
    found = rules.find(loaded, dialog("connecting", "Gateway"), State.LOGIN, CONFIG, asked=False)
    assert found is not None
    assert found.name == "connecting"


def test_a_file_that_is_broken_keeps_the_rules_that_it_had(tmp_path: Path) -> None:
    override = '[[dialog]]\nname = "newer-version"\ntext_contains = "Newer"\nperson = "look"\n'
    (tmp_path / "a.toml").write_text(override)
    before, _ = rulebook.load(rulebook.BUILT_IN, tmp_path)
    (tmp_path / "a.toml").write_text(override + "[[dialog")
    (tmp_path / "b.toml").write_text(GOOD)

    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, tmp_path, before)

    found = {rule.name: rule for rule in loaded}
    assert found["newer-version"].person == "look"
    assert "mine" in found
    assert [str(each).startswith(f"{tmp_path / 'a.toml'}: not TOML") for each in mistakes] == [True]


def test_a_dialog_that_is_broken_stays_as_it_was_and_a_deleted_one_goes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD + GOOD.replace("mine", "other"))
    before, _ = rulebook.load(rulebook.BUILT_IN, tmp_path)
    (tmp_path / "a.toml").write_text(GOOD.replace("click", "klick"))

    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, tmp_path, before)

    found = {rule.name: rule for rule in loaded}
    assert found["mine"].click == ("Not now",)
    assert "other" not in found
    assert "dialog mine: no such key: klick (did you mean click?" in str(mistakes[0])
    assert "stays as it was" in str(mistakes[0])


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "dialogs.d").write_text("not a folder")
    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, tmp_path / "dialogs.d")
    assert loaded
    assert "cannot be read" in str(mistakes[0])
