"""`ibga dialogs list` and `ibga dialogs test`: the rule book, and what it says of a saved report."""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from ibga.agent.report import Window, parse_report
from ibga.automator import rulebook, rules, screens
from ibga.automator.evidence import masked
from ibga.automator.rules import Rule
from ibga.automator.screens import View
from ibga.cli import chosen
from ibga.config import Config
from ibga.config.load import load
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths
from ibga.runtime import State

MAX_FILE = 16 << 20  # bytes; the agent bounds its reports far below
NEAR_MISSES = 5  # of one window


def list_rules(options: argparse.Namespace, root: Path) -> Exit:
    """Print all rules in their order; EX_CONFIG when any file has a mistake."""
    folder = Paths("", root).rules_dir
    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, folder)
    shipped = {rule.name for rule in rulebook.load(rulebook.BUILT_IN, folder / "none")[0]}
    print("\n".join(table(loaded, shipped)))
    return _tell(mistakes)


def _tell(mistakes: tuple[rulebook.Mistake, ...]) -> Exit:
    for mistake in mistakes:
        print(f"mistake: {mistake}", file=sys.stderr)
    return Exit.CONFIG if mistakes else Exit.OK


def table(loaded: tuple[Rule, ...], shipped: set[str]) -> Iterator[str]:
    rows = [("RULE", "FROM", "COUNTS", "DOES")]
    rows += [(rule.name, _origin(rule, shipped), when(rule), deed(rule)) for rule in loaded]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, [*widths, 0], strict=True)).rstrip()


def _origin(rule: Rule, shipped: set[str]) -> str:
    if rule.source == str(rulebook.BUILT_IN):
        return "shipped"
    return f"{rule.source} (instead of the shipped one)" if rule.name in shipped else rule.source


def when(rule: Rule) -> str:
    """Under what it counts, besides its signs."""
    found = [text for text, _ in rules.conditions(rule, State.READY, _ANY, asked=False)]
    return "; ".join(found) or "always"


def deed(rule: Rule) -> str:
    if rule.ignore:
        return "leave alone"
    if rule.person:
        return f"ask a person: {rule.person}"
    if rule.close:
        return "close"
    boxes = "".join(f"tick {caption!r}, " for caption in rule.check)
    return f"{boxes}click {' or '.join(map(repr, rule.click))}"


def test(options: argparse.Namespace, root: Path) -> Exit:
    """Say of each window of a report which rule knows it, what would be done, and why others do not."""
    file = Path(options.file)
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_FILE + 1)
    except OSError as error:
        raise IbgaError(f"cannot read {file}: {error.strerror}", code=Exit.DATA) from None
    if len(content) > MAX_FILE:
        raise IbgaError(f"{file} is larger than {MAX_FILE} bytes", code=Exit.DATA)
    report = parse_report(content, str(file))
    config = _config(options, root)
    loaded, mistakes = rulebook.load(rulebook.BUILT_IN, config.paths.rules_dir)
    state = State(options.state)
    print(f"as in the state {state}, settings of {config.instance or 'the defaults'}", end="\n\n")
    view = screens.recognise(report)
    for window in report.windows:
        said = explained(window, view, loaded, state, config, asked=options.closing)
        if said:
            print(masked("\n  ".join(said)), end="\n\n")
    return _tell(mistakes)


def _config(options: argparse.Namespace, root: Path) -> Config:
    """Return the settings of the instance; the defaults where there is none, or several and none is named."""
    try:
        names = chosen(argparse.Namespace(instance=options.instance, named=None), root)
    except IbgaError:
        if options.instance:
            raise
        names = []
    return load(names[0], root=root, environ=os.environ) if len(names) == 1 else Config(paths=Paths("", root))


_ROLES = {
    "login": "the login form: filled in by the automator itself",
    "progress": "the progress of a login: never clicked",
    "main": "the main window",
    "settings": "the settings: worked in by the automator itself",
    "second_factor": "a second factor: by second_factor.method, no rule",
    "conflict": "another session, or a lost one: by login.existing_session, no rule",
}


def explained(
    window: Window, view: View, loaded: tuple[Rule, ...], state: State, config: Config, *, asked: bool
) -> list[str]:
    """Return what is to be said of *window*, line by line; nothing of what is not looked at at all."""
    head = f"{window.kind} {window.title!r} ({window.class_name})"
    for role, text in _ROLES.items():
        if window is getattr(view, role):
            return [head, text]
    if not any(window is other for other in view.others):
        return []
    found = rules.find(loaded, window, state, config, asked=asked)
    lines = [head]
    lines += [f"reads: {text!r}" for text in rules.texts(window)]
    buttons = [each.text for each in window.find_all("JButton") if each.text]
    lines.append(f"buttons: {', '.join(map(repr, buttons)) or 'none'}")
    if found is None:
        lines.append("no rule knows it: it would be saved and left alone")
    else:
        lines.append(f"rule {found.name} of {found.source}")
        lines.append(outcome(found, window))
    return lines + [
        f"not {rule.name}: {why}" for rule, why in misses(found, loaded, window, state, config, asked)
    ]


def outcome(rule: Rule, window: Window) -> str:
    """What would be done, as far as this very report goes."""
    if not rule.click:
        return f"would {deed(rule)}"
    aim = rules.target(rule, window)
    if aim is None:
        return f"would press nothing: {rules.obstacle(rule, window)}"
    return f"would {'tick' if aim.is_a('JCheckBox') else 'click'} {aim.text!r} (component {aim.id})"


def misses(
    found: Rule | None, loaded: tuple[Rule, ...], window: Window, state: State, config: Config, asked: bool
) -> list[tuple[Rule, str]]:
    """Return the rules that some sign speaks for, the likeliest first, and what speaks against them."""
    near = []
    for place, rule in enumerate(loaded):
        if rule is found:
            continue
        signs = rules.signs(rule, window)
        against = [f"{key} = {getattr(rule, key)!r} is not so" for key, holds in signs if not holds]
        if len(against) == len(signs):
            continue
        against += [
            f"counts only under {text}" for text, holds in rules.conditions(rule, state, config, asked=asked)
            if not holds
        ]  # fmt: skip
        near.append(
            (
                sum(not holds for _, holds in signs),
                place,
                rule,
                "; ".join(against) or "a rule before it knows the window",
            )
        )
    return [(rule, why) for _, _, rule, why in sorted(near, key=lambda each: each[:2])[:NEAR_MISSES]]


_ANY = Config(paths=Paths(""))
