"""The units as systemd reads them: quiet, confined, ordered."""

import re

import pytest

from tests.support.container import TREE, Container
from tests.support.instance import PARTS

UNITS = sorted(path.name for path in (TREE / "units").iterdir())
#: Highest exposure that `systemd-analyze security` may find; 0 is best, 10 is an unconfined root.
CEILINGS = {"display": 2.5, "vnc": 2.5, "automator": 2.5, "api": 2.5, "ready": 2.5, "gateway": 4.5}


def test_systemd_finds_nothing_to_say_about_the_units(debian: Container) -> None:
    result = debian.run(
        "systemd-analyze", "verify", *(f"/usr/lib/systemd/system/{name}" for name in UNITS), check=False
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("part", CEILINGS)
def test_the_exposure_of_each_part_stays_below_its_ceiling(debian: Container, part: str) -> None:
    result = debian.run("systemd-analyze", "security", "--no-pager", f"ibga-{part}@main.service")

    found = re.search(r"exposure level for \S+: ([\d.]+)", result.stdout)
    assert found, result.stdout
    assert float(found[1]) <= CEILINGS[part], result.stdout


def test_the_parts_start_in_order_and_therefore_stop_in_reverse(debian: Container) -> None:
    def after(part: str) -> set[str]:
        listed = debian.property(f"ibga-{part}@main.service", "After").split()
        return {other for other in PARTS if f"ibga-{other}@main.service" in listed}

    assert {part: after(part) for part in PARTS} == {
        "display": set(),
        "vnc": {"display"},
        "automator": {"display"},
        "gateway": {"display", "automator"},
        "api": {"gateway"},
    }


@pytest.mark.parametrize("part", [*PARTS, "ready"])
def test_a_part_is_stopped_with_its_target_and_before_it(debian: Container, part: str) -> None:
    unit = f"ibga-{part}@main.service"

    assert debian.property(unit, "PartOf") == "ibga@main.target"
    assert "ibga@main.target" in debian.property(unit, "After").split()


def test_the_target_wants_every_part_but_ready(debian: Container) -> None:
    wanted = debian.property("ibga@main.target", "Wants").split()

    assert sorted(wanted) == sorted(f"ibga-{part}@main.service" for part in PARTS)


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_bound_to_another_part(debian: Container, part: str) -> None:
    # After a crash of what it is bound to, a bound unit stays down.
    assert debian.property(f"ibga-{part}@main.service", "BindsTo") == ""


def test_only_the_display_is_required(debian: Container) -> None:
    def required(part: str) -> set[str]:
        listed = debian.property(f"ibga-{part}@main.service", "Requires").split()
        return {name for name in listed if name.startswith("ibga-")}

    needs = {part: required(part) for part in PARTS}

    display = {"ibga-display@main.service"}
    assert needs == {"display": set(), "vnc": display, "automator": set(), "gateway": display, "api": set()}


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_a_watchdog_and_is_restarted_without_end(debian: Container, part: str) -> None:
    unit = f"ibga-{part}@main.service"

    # The property WatchdogUSec is that of a running service.
    assert re.search(r"^WatchdogSec=(20|30)$", debian.systemctl("cat", unit), re.MULTILINE)
    assert debian.property(unit, "Restart") == "always"
    assert debian.property(unit, "StartLimitIntervalUSec") == "0"


def test_secrets_are_given_to_the_automator_alone(debian: Container) -> None:
    for part in PARTS:
        text = debian.run("systemctl", "cat", f"ibga-{part}@main.service").stdout
        assert ("LoadCredential=ibga.password:" in text) == (part == "automator")
