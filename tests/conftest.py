"""Fixtures and settings for every test."""

import os

from hypothesis import settings

pytest_plugins = ("tests.side_by_side", "tests.support.kafka", "tests.support.connections.recorded")

# A test's broker lives for minutes: it gains nothing from the second compiler, and starts with half the CPU without it.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

settings.register_profile("untimed", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("untimed")
