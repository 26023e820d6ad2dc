"""Faust's types without aiohttp, which Faust imports for the name of one of them: a sixth to a quarter of what a worker's start costs, and never used.

Faust's web server and HTTP client are off, and what imports aiohttp itself later gets the real one.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_UNUSED = "aiohttp.client"


@contextmanager
def _without_aiohttp() -> Iterator[None]:
    """Let an empty module stand for aiohttp inside the block, unless it is there already."""
    if "aiohttp" in sys.modules:
        yield
        return
    package, client = ModuleType("aiohttp"), ModuleType(_UNUSED)
    client.__dict__["ClientSession"] = object
    sys.modules |= {"aiohttp": package, _UNUSED: client}
    try:
        yield
    finally:
        del sys.modules["aiohttp"], sys.modules[_UNUSED]


with _without_aiohttp():
    from faust.types.tuples import TP, ConsumerMessage

__all__ = ["TP", "ConsumerMessage"]
