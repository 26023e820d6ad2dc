"""The laws about missing data: less data is no better answer, and silence of all sources neither passes nor closes anything."""

from collections.abc import Iterator, Sequence

from schemas.access.facts import snapshot_hash
from tests.support.access_laws.answer import Answer
from tests.support.access_laws.edits import ticked, without, without_row
from tests.support.access_laws.leavers import decided_staff
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, effective, read_log
from tests.support.access_oracle.records import observations
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.snapshots import applied_snapshots


def less_data(history: Sequence[Entry], answer: Answer) -> list[str]:
    """Taking away any observation (a record, a listing, a row) never changes FAIL, DUE or UNKNOWN of C2 to PASS.

    The law has three limits, without which no system could hold it: the observation taken away is not itself the one that asserts
    an end, the rest still names the same people, and a list without somebody's row says that its source has them no more, so
    that the source may be silent about them (README.md, Laws).
    """
    broken = []
    complete, decided = answer(history), decided_staff(history)
    for what, less in _reduced(history):
        reduced = answer(less)
        for account, rows in complete.accounts.items():
            before, after = rows["C2"], reduced.accounts.get(account, {}).get("C2")
            is_withdrawn = what.startswith("row") and before.reason == "stale"
            if after is not None and _same_people(before, after, decided) and _passes_now(before, after) and not is_withdrawn:
                broken.append(f"without {what} C2 of {account} passes; it was {before.status} ({before.reason})")
    return broken


def _passes_now(before: Row, after: Row) -> bool:
    return before.status in ("FAIL", "DUE", "UNKNOWN") and after.status == "PASS"


def _same_people(before: Row, after: Row, decided: set[str]) -> bool:
    """Say whether these are the same; not several, or some of whom one source is decided to be right: without an observation they may be one."""
    named = {*before.person_ids, *before.finding_people, *before.candidates}
    return bool(named) and named == set(after.person_ids) and len(before.candidates) <= 1 and not named & decided


def _reduced(history: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield what is taken away, and the history without it.

    A listing is taken away by the loss of all its parts, and only if it lacks no known record: what it asserts about those it
    lacks is not lost data. A row only of one that is applied: another, void after its hour, could be in time without its first row.
    """
    facts = effective(read_log(history), DEFAULT)
    applied = {snapshot.id: snapshot for snapshot in applied_snapshots(facts, "staff")}
    for n, fact in enumerate(entry["fact"] for entry in history):
        if fact["kind"] == "staff.record" and not _asserts_end_or_number(fact):
            yield f"record at {n}", without(history, fact["id"])
        if fact["kind"] == "staff.snapshot.row" and _listing_of(fact) in applied and not _asserts_end_or_number(fact):
            yield f"row at {n}", without_row(history, fact["id"])
    known = set(observations(facts, list(applied.values())))
    for snapshot in applied.values():
        of_source = {key for key in known if key[0] == snapshot.source}
        if of_source <= snapshot.records and not any(_asserts_end_or_number(row.fact) for row in snapshot.rows):
            yield f"listing {snapshot.id}", [ticked(e) if _listing_of(e["fact"]) == snapshot.id else e for e in history]


def _listing_of(fact: FactDict) -> str | None:
    listing: str | None = (fact.get("snapshot") or {}).get("id")
    return listing


def _asserts_end_or_number(fact: FactDict) -> bool:
    """Whether an observation itself asserts that somebody left or is withdrawn, or which records are one person: its loss
    changes the answer."""
    record = fact["record"]
    ended = "status" in record["asserts"] and record.get("status") in ("ended", "withdrawn")
    ends = "ends" in record["asserts"] and record.get("ends")
    return bool(ended or ends or "employee" in record["asserts"])


def silence(history: Sequence[Entry], answer: Answer) -> list[str]:
    """If every source falls silent, by an empty complete listing younger than all else, C2 passes nowhere it did not pass
    before, and no open C2 closes: "Loss of data never closes a finding".

    Where it is decided which source is right about a person, whom the account names before or once the others are silent, their silence
    cannot contradict it.
    """
    decided = decided_staff(history)
    complete, silent = answer(history), answer([*history, *_empty_listings(history)])
    broken = []
    for account, rows in complete.accounts.items():
        before, after = rows["C2"], silent.accounts.get(account, {}).get("C2")
        passes = before.status != "PASS" and after is not None and after.status == "PASS"
        # with one source silent, one of several may be left, or somebody else
        named = {*before.person_ids, *before.candidates, *(after.person_ids if after is not None else ())}
        if passes and not decided & named:
            broken.append(f"C2 of {account} passes when all sources are silent; it was {before.status} ({before.reason})")
    still_open = {finding.subject for finding in silent.open}
    lost = [finding.subject for finding in complete.open if finding.check == "C2" and finding.subject not in still_open]
    return broken + [f"C2 of {subject} closes when all sources are silent" for subject in lost]


def _empty_listings(history: Sequence[Entry]) -> list[Entry]:
    facts = [entry["fact"] for entry in history]
    sources = sorted({fact["record"]["source"] for fact in facts if fact.get("record") and "staff" in fact["kind"]})
    times = [fact.get("time") or 0 for fact in facts] + [(fact.get("snapshot") or {}).get("requested", 0) for fact in facts]
    time = max([*times, *(entry["log_time"] for entry in history)], default=0) + 1_000
    entries = []
    for source in sources:
        head = {"id": f"silence-{source}", "source": source, "requested": time}
        for word, snapshot in (("started", head), ("ended", {**head, "count": 0, "hash": snapshot_hash(())})):
            fact = {"id": f"{word}-{source}", "tenant": facts[0]["tenant"], "kind": f"staff.snapshot.{word}", "source": "s"}
            entries.append({"log_time": time, "fact": {**fact, "basis": "asserted", "snapshot": snapshot}})
    return entries
