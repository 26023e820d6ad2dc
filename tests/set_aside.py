"""What each process of a run imports and collects is set aside from garbage collection: a million objects that are there until the end.

Without it every look for garbage in cycles walks them: of each process's CPU that was some seconds while it collected, and some more
at its end, where pytest looks ten times.
"""

import gc
import importlib
from collections.abc import Iterator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect without looking for garbage meanwhile."""
    if hasattr(session.config, "workerinput"):
        # pydantic looks for the source of each of their classes in every module that is there: first in line, that is quick
        for name in ("scim2_server.service", "scim2_client.engines.httpx2", "scim2_tester"):
            importlib.import_module(name)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        set_aside()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    set_aside()


def set_aside() -> None:
    """Let further collections walk only what is made from now on; garbage of before is finalized first, so that none is overlooked."""
    while gc.collect():
        pass
    gc.freeze()
