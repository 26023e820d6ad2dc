"""Fixtures and settings for every test."""

from hypothesis import settings

pytest_plugins = ("tests.support.kafka",)

settings.register_profile("untimed", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("untimed")
