"""What an examination finds, and what it needs."""

from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum

import msgspec

from streams.settings import Settings


class State(StrEnum):
    """Whether anything has to be done."""

    OK = "ok"
    WARNING = "warning"  # it works, and something should be looked at
    PROBLEM = "problem"  # something does not work, or is about to fail


class HealthFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the report: `remedy` is empty where nothing has to be done."""

    examination: str
    state: State
    text: str
    remedy: str = ""


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """What examinations look at: the settings, where processes answer (empty: not asked), and the time (ms)."""

    settings: Settings
    now: int
    worker: str = ""
    ingress: str = ""
    trend_seconds: float = 2.0


Findings = Iterable[tuple[State, str, str]]
"""State, text and remedy of each."""

Examination = Callable[[Patient], Awaitable[Findings]]


def ok(text: str) -> tuple[State, str, str]:
    """Return a finding that asks for nothing."""
    return State.OK, text, ""


def warning(text: str, remedy: str) -> tuple[State, str, str]:
    """Return a finding that should be looked at."""
    return State.WARNING, text, remedy


def problem(text: str, remedy: str) -> tuple[State, str, str]:
    """Return a finding of something that does not work."""
    return State.PROBLEM, text, remedy
