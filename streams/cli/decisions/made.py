"""Decisions as the log has them, and what became of each: which one stands, and how it is put into a sentence."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.access.facts import Classification, Fact
from schemas.cloudevents import timestamp
from streams.core.access.facts.staleness import takes_effect

APPLIED: Final = "applied"


class MadeDecision(NamedTuple):
    """A decision, when the broker took it (ms), and its outcome in the ledger; None where no worker has come to it yet."""

    fact: Fact
    taken: int
    outcome: str | None


def standing(made: Iterable[MadeDecision]) -> MadeDecision | None:
    """Return the decision that the next one about the same matter has to replace, of those about it in the order of the log."""
    current: MadeDecision | None = None
    for each in made:
        pending = each.outcome is None and takes_effect(each.fact, current.fact.id if current else None)
        if each.outcome == APPLIED or pending:
            current = each
    return current


def sentence_about(made: MadeDecision) -> str:
    """Say in a sentence who decided what, when and why."""
    fact = made.fact
    who = (fact.person.actor if fact.person else None) or (fact.actor.id if fact.actor else "somebody")
    reason = f", because: {fact.person.text}" if fact.person and fact.person.text else ""
    return f"{who} decided at {timestamp(made.taken)[:19]}Z: {_content(fact)}{reason}"


def words_of(classification: Classification) -> list[str]:
    """Return what an account is, who answers for it and until when it may be there."""
    owner, expires = classification.owner, classification.expires
    return [
        classification.kind,
        *([f"owner {owner}"] if owner else []),
        *([f"until {timestamp(expires)}"] if expires is not None else []),
    ]


def _content(fact: Fact) -> str:
    parts: list[str] = []
    if fact.classification is not None:
        parts = words_of(fact.classification)
    elif fact.grant is not None:
        parts = [fact.grant.check or "", f"as {fact.grant.id}"]
        parts += [f"until {timestamp(fact.grant.expires)}" if fact.grant.expires is not None else "without end"]
    elif fact.choice is not None:
        parts = [f"source {fact.choice.source}" if fact.choice.source else "no source"]
    elif fact.staff is not None:
        parts = [fact.staff]
    return " ".join([fact.kind, *(part for part in parts if part)])
