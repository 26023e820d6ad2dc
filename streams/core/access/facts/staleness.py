"""Decisions take effect in the order of the log. Each names the one it replaces; one that names another than that in force is stale."""

from collections.abc import Iterable

from schemas.access.facts import Fact
from streams.core.access.state.values import Decision, FactReference


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


def decided(fact: Fact, current: Decision | None, value: str | None, source: FactReference) -> Decision | None:
    """Return what a decision for a value makes of the one in force, None where it is stale.

    The date of a decision repeated with the same value is that of the first: nothing was decided again.
    """
    if not takes_effect(fact, current.source.fact if current else None):
        return None
    same = (current.value if current else None) == value
    return Decision(value, source, (current.since if current else None) if same else source.date)
