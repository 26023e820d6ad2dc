"""What the access agent sends to those who decide: each decision once it has an outcome.

The ledger lists no entry: what a fact leads to is the same in a release that sends none.
"""

from schemas.access.decision_entries import ENTERED, ENTRY, TOPIC, DecisionEntry, EntriesBegin, begin_key, decision_key
from schemas.access.facts import Fact, encode_raw
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import LogPosition
from streams.engine.agent import Outbox


def begin(out: Outbox, state: TenantState, position: LogPosition) -> None:
    """Before a tenant's first fact, send that all decisions of the tenant are entered."""
    if not state.log.entries and state.backlog.index is None:
        out.send(TOPIC, begin_key(state.tenant), ENTRY.encode(EntriesBegin(position.offset), out.encoding))


def enter(out: Outbox, fact: Fact, position: LogPosition, outcome: str) -> None:
    """Send a decision that others replace, revoke or take back, with its outcome."""
    if fact.kind in ENTERED:
        entry = DecisionEntry(encode_raw(fact), position.offset, position.append_time, outcome)
        out.send(TOPIC, decision_key(fact.tenant, position.offset), ENTRY.encode(entry, out.encoding))
