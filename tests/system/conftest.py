"""Booted Debian systems with the package in them. Needs root; a machine that cannot boot them fails in CI."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.container import TREE, Container, booted
from tests.support.instance import Instance


def pytest_runtest_setup(item: pytest.Item) -> None:
    if os.geteuid() != 0:
        message = "the system tier boots containers: run it as root"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)


@pytest.fixture(scope="session")
def deb() -> Path:
    """The package of this tree."""
    built = subprocess.run(
        ["packaging/build-deb"], cwd=TREE, check=True, stdout=subprocess.PIPE, text=True, timeout=300
    )
    return TREE / built.stdout.strip()


@pytest.fixture(scope="session", params=["12", "13"], ids=lambda version: f"debian{version}")
def debian_version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bare(debian_version: str) -> Iterator[Container]:
    """A booted Debian of its own, without the package."""
    with booted(debian_version) as container:
        yield container


@pytest.fixture(scope="session")
def debian(debian_version: str, deb: Path) -> Iterator[Container]:
    """A booted Debian with the package, for all tests: leave it as it was."""
    with booted(debian_version) as container:
        container.install(deb)
        yield container


@pytest.fixture
def instance(debian: Container) -> Iterator[Instance]:
    """Instance "main", not yet configured; it is stopped and forgotten after the test."""
    instance = Instance(debian)
    try:
        yield instance
    finally:
        instance.forget()
