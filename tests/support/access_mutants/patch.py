"""Replace functions of the oracle for a while, wherever its modules use them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

ORACLE: Final = "tests.support.access_oracle."
Patch = Mapping[Callable[..., Any], Callable[..., Any]]  # function of the oracle -> its replacement


@contextmanager
def patched(patch: Patch) -> Iterator[None]:
    """Replace each function in every module of the oracle that defines or imports it. What the laws imported stays."""
    modules = [module for name, module in sys.modules.items() if name.startswith(ORACLE)]
    places = [
        (module, name, original)
        for module in modules
        for name, original in vars(module).items()
        if callable(original) and original in patch
    ]
    for original in patch:
        assert any(found is original for _, _, found in places), f"the oracle has no function {original}"
    try:
        for module, name, original in places:
            setattr(module, name, patch[original])
        yield
    finally:
        for module, name, original in places:
            setattr(module, name, original)
