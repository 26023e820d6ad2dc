"""For each fault, whether a history could show it. `PATTERNS` is by the letters that README.md of the oracle explains."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from tests.support.access_histories.evidence import (
    Observed,
    active_accounts,
    end_instant,
    final_state,
    has_status_ended,
    in_another_source,
    record_observations,
    staff_snapshots,
    translated_addresses,
    withdrawn_leavers,
)
from tests.support.access_histories.pools import TENANT
from tests.support.access_oracle.answers import final_rows
from tests.support.access_oracle.log import Entry, FactDict, Key, read_log, record_key
from tests.support.access_oracle.registers import second, staff_id

History = Sequence[Entry]


def fault_a(history: History) -> bool:
    """A workspace is monitored by a decision without time, and has no policy then."""
    policy: FactDict = {}
    for entry in history:
        fact = entry["fact"]
        policy = fact["policy"] if fact["kind"] == "policy.applied" else policy
        covered = {rule["app_id"] for rule in policy.get("rules", ())}
        if fact["kind"] == "workspace.monitored" and fact.get("time") is None and fact["app_id"] not in covered:
            return True
    return False


def _linked_before(history: History) -> list[Observed]:
    """Return the observations that follow a link of an active account to their record, none of which precedes the link."""
    observed = record_observations(history)
    accounts = active_accounts(history)
    following: list[Observed] = []
    for position, entry in enumerate(history):
        fact = entry["fact"]
        if fact["kind"] == "account.linked" and (fact["app_id"], fact["account"]) in accounts:
            about = [o for o in observed if staff_id(TENANT, record_key(o.fact)) == fact["staff"]]
            if about and min(o.position for o in about) > position:
                following.extend(about)
    return following


def fault_b(history: History) -> bool:
    """A link before its record, whose end then comes by a timer or has come already."""
    until = history[-1]["log_time"]
    return any((instant := end_instant(fact)) is not None and instant <= until for _, _, fact in _linked_before(history))


def fault_b2(history: History) -> bool:
    """A link before its record, which then has status "ended"."""
    return any(has_status_ended(fact) for _, _, fact in _linked_before(history))


def fault_c(history: History) -> bool:
    """A leaver's account is linked to the leaver; a listing lacks the leaver; somebody else has the account's address."""
    accounts = active_accounts(history)
    gone = {staff_id(TENANT, record_key(fact)): fact for fact, _ in withdrawn_leavers(history)}
    for entry in history:
        fact = entry["fact"]
        if fact["kind"] == "account.linked" and fact["staff"] in gone and (fact["app_id"], fact["account"]) in accounts:
            addresses = accounts[fact["app_id"], fact["account"]]
            others = [o.fact for o in record_observations(history) if record_key(o.fact) != record_key(gone[fact["staff"]])]
            if any(translated_addresses(other) & addresses for other in others):
                return True
    return False


def fault_d(history: History) -> bool:
    """A listing lacks somebody who left before it; another source still has the person."""
    return any(
        (has_status_ended(fact) or (end_instant(fact) or 0) <= requested) and in_another_source(history, fact)
        for fact, requested in withdrawn_leavers(history)
    )


def fault_d3(history: History) -> bool:
    """A listing lacks somebody whose end is still ahead; another source has the person; the end comes."""
    until = max(entry["log_time"] for entry in history)
    return any(
        requested < (end_instant(fact) or 0) <= until and in_another_source(history, fact)
        for fact, requested in withdrawn_leavers(history)
    )


def fault_e(history: History) -> bool:
    """A record older than a complete listing that lacks it arrives after the listing."""
    ended: dict[str, int] = {}
    for position, entry in enumerate(history):
        if entry["fact"]["kind"] == "staff.snapshot.ended":
            ended.setdefault(entry["fact"]["snapshot"]["id"], position)
    lacking = [
        (o.position, snapshot)
        for o in record_observations(history)
        for snapshot in staff_snapshots(history)
        if o.fact["kind"] == "staff.record" and snapshot.source == record_key(o.fact)[0]
        and o.time < snapshot.requested and record_key(o.fact) not in snapshot.records
    ]  # fmt: skip
    return any(position > ended[snapshot.id] for position, snapshot in lacking)


def fault_f(history: History) -> bool:
    """A part of one listing of a source arrives between the first part and the `ended` of another that is applied."""
    parts = [(n, e["fact"]["snapshot"]) for n, e in enumerate(history) if e["fact"]["kind"].startswith("staff.snapshot.")]
    for applied in {snapshot.id for snapshot in staff_snapshots(history)}:
        positions = [position for position, snapshot in parts if snapshot["id"] == applied]
        source = next(snapshot["source"] for _, snapshot in parts if snapshot["id"] == applied)
        others = [position for position, snapshot in parts if snapshot["id"] != applied and snapshot["source"] == source]
        if any(positions[0] < position < positions[-1] for position in others):
            return True
    return False


def fault_g(history: History) -> bool:
    """Removed and added within one second."""
    kinds: dict[tuple[str, str, int], set[str]] = {}
    for fact in (entry["fact"] for entry in history):
        if fact["kind"] in ("admin.added", "admin.removed"):
            kinds.setdefault((fact["app_id"], fact["account"], second(fact["time"])), set()).add(fact["kind"])
    return any(len(both) == 2 for both in kinds.values())


def _ended_times(history: History) -> list[list[int]]:
    """Return for each record the times of status "ended", in the order of arrival."""
    times: dict[Key, list[int]] = {}
    for _, time, fact in sorted(record_observations(history), key=lambda o: o.position):
        if has_status_ended(fact):
            times.setdefault(record_key(fact), []).append(time)
    return list(times.values())


def fault_h(history: History) -> bool:
    """One record has status "ended" at two times, which arrive in order."""
    return any(a < b for times in _ended_times(history) for a, b in pairwise(times))


def fault_h_late(history: History) -> bool:
    """The same, out of order."""
    return any(a > b for times in _ended_times(history) for a, b in pairwise(times))


def fault_i(history: History) -> bool:
    """C4 fails by a policy that is younger than all observations."""
    policies = [f for f in read_log(history) if f.kind == "policy.applied" and f.fact.get("time") is None]
    rows = [checks["C4"] for checks in final_rows(history).accounts.values()]
    return any(row.status == "FAIL" and row.since == policy.log_time for row in rows for policy in policies)


def fault_l(history: History) -> bool:
    """An account of a leaver is classified."""
    facts = [entry["fact"] for entry in history]
    classified = {(fact["app_id"], fact["account"]) for fact in facts if fact["kind"] == "account.classified"}
    accounts = final_rows(history).accounts
    return any(
        checks["C1"].reason == "classified" and bool(checks["C2"].finding_people)
        for key, checks in accounts.items()
        if key in classified
    )


def fault_m(history: History) -> bool:
    """Two records of two sources with different numbers share an account's address, and one of them has ended."""
    state = final_state(history)
    records = [record for person in state.people for record in person.records]
    ended = {record.key for record in records if record.end and record.end.instant <= state.now}
    for a in records:
        for b in records:
            different = a.number and b.number and a.number != b.number and a.key[0] != b.key[0]
            shared = a.addresses & b.addresses
            owned = any(shared & account.addresses for account in state.accounts.values())
            if different and a.key in ended and b.key not in ended and owned:
                return True
    return False


def _absent(history: History, absence: str) -> bool:
    state = final_state(history)
    active = {a for account in state.accounts.values() if account.presence.status == "active" for a in account.addresses}
    for record in (record for person in state.people for record in person.records):
        ended = record.end is not None and record.end.by == "absence"
        means = ended if absence == "ended" else record.end is None
        if record.withdrawn is not None and record.addresses & active and means:
            return True
    return False


def fault_o(history: History) -> bool:
    """A complete listing lacks an active person who has an account; absence means withdrawn."""
    return _absent(history, "withdrawn")


def fault_o_ended(history: History) -> bool:
    """The same; absence means ended."""
    return _absent(history, "ended")


PATTERNS: Final[dict[str, Callable[[History], bool]]] = {
    "A": fault_a, "B": fault_b, "B2": fault_b2, "C": fault_c, "D": fault_d, "D3": fault_d3, "E": fault_e, "F": fault_f,
    "G": fault_g, "H": fault_h, "H'": fault_h_late, "I": fault_i, "L": fault_l, "M": fault_m, "O": fault_o,
    "O ended": fault_o_ended,
}  # fmt: skip
