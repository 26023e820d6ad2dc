"""What the fault patterns read from a history: record observations, withdrawn leavers, and accounts with their addresses."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.support.access_histories.pools import ALIAS_DOMAINS
from tests.support.access_oracle.answers import final_rows
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, Key, effective, read_log, record_key
from tests.support.access_oracle.registers import normal, translated
from tests.support.access_oracle.snapshots import AppliedSnapshot, applied_snapshots
from tests.support.access_oracle.state import State, state_at


class Observed(NamedTuple):
    """An observation of a record: its position in the log, its source time and its fact."""

    position: int
    time: int
    fact: FactDict


def record_observations(history: Sequence[Entry]) -> list[Observed]:
    """Return every observation of a record that counts."""
    facts = effective(read_log(history), DEFAULT)
    observed = [Observed(f.position, f.fact["time"], f.fact) for f in facts if f.kind == "staff.record"]
    for snapshot in applied_snapshots(facts, "staff"):
        observed.extend(Observed(row.position, snapshot.requested, row.fact) for row in snapshot.rows)
    return observed


def staff_snapshots(history: Sequence[Entry]) -> list[AppliedSnapshot]:
    return applied_snapshots(effective(read_log(history), DEFAULT), "staff")


def final_state(history: Sequence[Entry]) -> State:
    return state_at(read_log(history), final_rows(history).now, DEFAULT)


def asserted(fact: FactDict, name: str) -> Any:
    """Return the field's value, None if the record does not assert it."""
    return fact["record"].get(name) if name in fact["record"]["asserts"] else None


def end_instant(fact: FactDict) -> int | None:
    ends = asserted(fact, "ends")
    return ends["instant"] if ends else None


def has_status_ended(fact: FactDict) -> bool:
    return bool(asserted(fact, "status") == "ended")


def translated_addresses(fact: FactDict) -> set[str]:
    return {translated(normal(a), ALIAS_DOMAINS) for a in (fact.get("person") or {}).get("addresses") or ()}


def active_accounts(history: Sequence[Entry]) -> dict[Key, set[str]]:
    """Return the accounts with rows at the end, with every address they had."""
    state = final_state(history)
    return {
        key: {translated(address, ALIAS_DOMAINS) for address in state.accounts[key].past_and_present}
        for key in final_rows(history).accounts
    }


def withdrawn_leavers(history: Sequence[Entry]) -> list[tuple[FactDict, int]]:
    """Return (fact that asserts an end, the listing's version) of records that a later complete listing of their source lacks."""
    snapshots = staff_snapshots(history)
    return [
        (fact, snapshot.requested)
        for _, time, fact in record_observations(history)
        if end_instant(fact) is not None or has_status_ended(fact)
        for snapshot in snapshots
        if snapshot.source == record_key(fact)[0] and snapshot.requested > time and record_key(fact) not in snapshot.records
    ]


def in_another_source(history: Sequence[Entry], fact: FactDict) -> bool:
    """Whether another source, and an account, have an address of this record."""
    observed = record_observations(history)
    addresses = {a for _, _, other in observed if record_key(other) == record_key(fact) for a in translated_addresses(other)}
    named = any(addresses & account for account in active_accounts(history).values())
    return named and any(
        record_key(other)[0] != record_key(fact)[0] and translated_addresses(other) & addresses for _, _, other in observed
    )
