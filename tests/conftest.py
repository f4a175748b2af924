"""Fixtures that many tests use."""

from collections.abc import Iterator

import pytest

from tests.support.tree import Tree, temporary_tree


@pytest.fixture
def tree() -> Iterator[Tree]:
    """A temporary root with the folders of instance "main"; its services are ended after the test."""
    with temporary_tree() as tree:
        yield tree
