"""What tests of rebuilds may ask for."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _collected() -> Iterator[None]:
    """Finalize what a file's engines left behind here: in the middle of a later test's `ast.parse`, CPython 3.11 would fail for it."""
    yield
    gc.collect()
    gc.freeze()  # an engine that ends takes back what tests/set_aside.py set aside
