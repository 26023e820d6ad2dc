"""Decisions take effect in the order of the log. Each names the one it replaces; one that names another than that in force is stale."""

from collections.abc import Iterable

from schemas.access.facts import Fact


def in_force(decisions: Iterable[Fact]) -> Fact | None:
    """Return the decision that holds after these, which are about one matter and in the order of the log."""
    current: Fact | None = None
    for fact in decisions:
        if takes_effect(fact, current.id if current else None):
            current = fact
    return current


def takes_effect(fact: Fact, current: str | None) -> bool:
    """Say whether a decision replaces the one in force, given that one's id."""
    return fact.replaces == current
