"""The command line, `ibga`: look at an instance, ask things of it, check its settings (design section 7).

Each command lives in a module of its own that is imported only when it runs: `ibga status` is what
people and probes call all the time.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from ibga import __version__
from ibga.errors import Exit, IbgaError
from ibga.paths import Paths
from ibga.runtime import State

_GROUP_HINT = "you are not in the group ibga: sudo usermod -aG ibga $USER, then log in again"


class Parser(argparse.ArgumentParser):
    """argparse, with our exit code for a wrong command line."""

    def error(self, message: str) -> "None":  # type: ignore[override]
        raise IbgaError(message, hint=f"{self.prog} --help", code=Exit.USAGE)


def parser() -> Parser:
    result = Parser(
        prog="ibga",
        description="Look at the instances of IB Gateway, ask things of them, check their settings.",
    )
    result.add_argument("--version", action="version", version=f"ibga {__version__}")
    named = Parser(add_help=False)
    for each, default in ((result, None), (named, argparse.SUPPRESS)):
        each.add_argument(
            "--instance", metavar="NAME", default=default, help="which one; not needed where there is one"
        )
    commands = result.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)

    def add(name: str, where: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[named])
        command.set_defaults(command=where)
        return command

    status = add("status", "status:status", "Say how session, gateway, API and screen are.")
    status.add_argument("named", nargs="?", metavar="INSTANCE", help="default: all")
    status.add_argument("--json", action="store_true", help="an object by instance name")
    health = add("health", "health:health", "Exit with 0 only while the session is ready.")
    health.add_argument(
        "--live", action="store_true", help="0 also while IB or a person is waited for: no restart would help"
    )
    ready = add("ready", "health:ready", "Exit with 0 when the session is ready.")
    how = ready.add_mutually_exclusive_group()
    how.add_argument("--wait", action="store_true", help="wait until it is")
    how.add_argument("--hold", action="store_true", help="wait until it is, tell systemd, end when it is not")
    add("ui", "screen:ui", "Print the gateway's windows as text.")
    shot = add("screenshot", "screen:screenshot", "Save what the display shows, as PNG.")
    shot.add_argument(
        "file", nargs="?", metavar="FILE", help="default: ibga-INSTANCE.png; - for standard output"
    )
    add(
        "login", "requests:login", "Log in now: where a login waits, or before the end of lending or closing."
    )
    add("retry", "requests:retry", "A person has looked: try once more what IB refused.")
    lend = add("lend", "requests:lend", "Log out for a while, so that a person can have the session.")
    lend.add_argument("time", metavar="TIME", help="how long, as 45min or 2h; then it is taken back")
    add("close", "requests:close", "Log out and stay logged out until `ibga login`.")
    config = commands.add_parser("config", help="Look at the configuration.")
    config_commands = config.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    check = config_commands.add_parser(
        "check",
        help="Print the settings in effect and where each comes from, or every mistake.",
        parents=[named],
    )
    check.add_argument("named", nargs="?", metavar="INSTANCE", help="default: all")
    check.set_defaults(command="config:check")
    dialogs = commands.add_parser("dialogs", help="Look at the rules for dialogs (docs/dialogs.md).")
    dialogs_commands = dialogs.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    rules = dialogs_commands.add_parser(
        "list", help="Print all rules in their order, where each is from, and the mistakes.", parents=[named]
    )
    rules.set_defaults(command="dialogs:list_rules")
    test = dialogs_commands.add_parser(
        "test",
        help="Say of each window of a saved report which rule knows it, and what would be pressed.",
        parents=[named],
    )
    test.add_argument("file", metavar="FILE.json", help="report.json of an unknown dialog, or an ui.json")
    test.add_argument(
        "--state",
        metavar="STATE",
        default="ready",
        choices=list(State),
        help="session state in which it would show; default: ready",
    )
    test.add_argument("--closing", action="store_true", help="as while the gateway is being closed")
    test.set_defaults(command="dialogs:test")
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code (docs/exit-codes.md)."""
    try:
        options = parser().parse_args(arguments)
        module, _, function = options.command.partition(":")
        command: Callable[[argparse.Namespace, Path], Exit] = getattr(
            import_module(f"ibga.cli.{module}"), function
        )
        code = command(options, Path(os.environ.get("IBGA_ROOT") or "/"))
        sys.stdout.flush()
    except IbgaError as error:
        for line in str(error).splitlines():
            print(f"ibga: {line}", file=sys.stderr)
        code = error.code
    except BrokenPipeError:  # `ibga ui | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.OK
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(int(code))


def instances(root: Path) -> list[str]:
    """Every instance that has a configuration or a runtime directory. Raises IbgaError without permission."""
    paths = Paths("", root)
    found = set()
    for directory, suffix in ((paths.config_dir, ".toml"), (paths.runtime_base, "")):
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(suffix)
                    if entry.name.startswith(".") or not entry.name.endswith(suffix) or name == "defaults":
                        continue
                    if suffix or entry.is_dir():
                        found.add(name)
        except FileNotFoundError:
            continue
        except PermissionError:
            raise not_permitted(directory) from None
    return sorted(found)


def chosen(options: argparse.Namespace, root: Path) -> list[str]:
    """The instances that the command line asks for: the named one, else all. Raises IbgaError for none."""
    known = instances(root)
    name = getattr(options, "named", None) or options.instance
    if name is None:
        if not known:
            file = Paths("main", root).config_file
            raise IbgaError(
                "there is no instance yet",
                hint=f"write {file}, then: systemctl enable --now ibga@main.target",
                code=Exit.CONFIG,
            )
        return known
    if name not in known:
        raise IbgaError(
            f"no instance {name!r}", hint=f"there are: {', '.join(known) or 'none'}", code=Exit.USAGE
        )
    return [name]


def the_one(options: argparse.Namespace, root: Path) -> Paths:
    """The one instance that a command works on. Raises IbgaError where it is not clear which."""
    names = chosen(options, root)
    if len(names) > 1:
        raise IbgaError("which instance?", hint=f"--instance, one of: {', '.join(names)}", code=Exit.USAGE)
    paths = Paths(names[0], root)
    if paths.runtime_dir.exists() and not os.access(paths.runtime_dir, os.R_OK | os.X_OK):
        raise not_permitted(paths.runtime_dir)
    return paths


def not_permitted(path: Path) -> IbgaError:
    return IbgaError(f"cannot read {path}: permission denied", hint=_GROUP_HINT, code=Exit.NO_PERMISSION)
