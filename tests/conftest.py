"""Fixtures and settings for every test."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

import pytest
from hypothesis import settings

pytest_plugins = (
    "tests.side_by_side",
    "tests.set_aside",
    "tests.support.kafka",
    "tests.support.connections.recorded",
    "tests.support.connections.certificates",
)

# A test's broker lives for minutes: it gains nothing from the second compiler, and starts with half the CPU without it.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

_MEMORY: Final = Path("/dev/shm")  # a folder of the user's own in it
_ROOM: Final = 4 << 30  # brokers of a whole run need some 100 MB of it at a time
_STATE: Final = "INTERCOM_STREAMS_STATE"

# A broker creates and deletes hundreds of files for each test: on a disk two fifths of its CPU are the file system's.
if _STATE not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM:
    os.environ[_STATE] = str(_MEMORY / f"intercom-streams-tests-{os.getuid()}")

settings.register_profile("untimed", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("untimed")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no folder in memory; one that still has a stack stays."""
    state = Path(os.environ.get(_STATE, ""))
    if state.parent == _MEMORY and not hasattr(config, "workerinput"):
        with contextlib.suppress(OSError):
            (state / "stacks").rmdir()
            state.rmdir()
