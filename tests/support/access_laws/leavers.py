"""Who left, and whose accounts are named, read from the facts alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.support.access_oracle.decided.decisions import Subject, decided_value, decisions
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import TEAMMATE_KINDS, Entry, FactDict, Key, LoggedFact, effective, read_log
from tests.support.access_oracle.presence import presence
from tests.support.access_oracle.records import Observation, observations
from tests.support.access_oracle.registers import normal, second, staff_id, translated
from tests.support.access_oracle.snapshots import applied_snapshots


@dataclass(frozen=True)
class Leaver:
    """A record that asserts an end, with no later assertion of employment; and the active accounts it names, or a link to it."""

    key: Key
    id: str
    accounts: frozenset[Key]


def leavers_in(history: Sequence[Entry], *, past_addresses: bool = True) -> list[Leaver]:
    """Return everybody whom any source has reported to have left, and none has reported since to be employed again.

    "None": no later assertion of this record, or of one that shares a number or an address with it, is active, on leave, or an
    end that is empty or still ahead. A later "active" counts only from the end on: before it, it asserts what was known. Nobody
    about whom it is decided which source is right, by the id of any record that is connected with theirs, also over others: then that source alone counts. With `past_addresses` false only the present addresses name somebody, of the account and of the record.
    """
    facts = effective(read_log(history), DEFAULT)
    if not facts:
        return []
    now = max(entry["log_time"] for entry in history)
    observed = observations(facts, applied_snapshots(facts, "staff"))
    accounts = _accounts(facts, past_addresses=past_addresses)
    choices = decided_staff(history)
    leavers = []
    for key, own in observed.items():
        whose = [other for other, of in observed.items() if other == key or _share(own, of)]
        decided = any(staff_id(facts[0].fact["tenant"], other) in choices for other in _connected(key, observed))
        if not decided and _left(own, [fact for other in whose for fact in observed[other]], now):
            named = _named(accounts, staff_id(facts[0].fact["tenant"], key), _addresses(own, past=past_addresses), _alias(facts))
            leavers.append(Leaver(key, staff_id(facts[0].fact["tenant"], key), frozenset(named)))
    return leavers


def decided_staff(history: Sequence[Entry]) -> set[str]:
    """Return the staff references about which a decision in force says which source is right."""
    in_force = decisions(effective(read_log(history), DEFAULT))
    return {
        subject[1]
        for subject, made in in_force.items()
        if subject[0] == "decided" and made[-1].fact["choice"].get("source") is not None
    }


def _alias(facts: Sequence[LoggedFact]) -> dict[str, str]:
    made = decisions(facts).get(("settings.applied",), [])
    alias: dict[str, str] = decided_value(made, lambda fact: fact["settings"].get("alias_domains") or {}, {}).value
    return alias


def _share(own: Sequence[Observation], other: Sequence[Observation]) -> bool:
    """Whether two records share an address or a number that either ever had."""
    return bool(_addresses(own, past=True) & _addresses(other, past=True) or _numbers(own) & _numbers(other))


def _connected(key: Key, observed: Mapping[Key, Sequence[Observation]]) -> set[Key]:
    """Return the records that share something with a record, and with those, and so on."""
    found, new = {key}, {key}
    while new:
        new = {other for other in observed.keys() - found if any(_share(observed[each], observed[other]) for each in new)}
        found |= new
    return found


def _numbers(observed: Sequence[Observation]) -> set[str]:
    return {fact["record"].get("employee") for _, fact in observed} - {None}


def _addresses(observed: Sequence[Observation], *, past: bool) -> set[str]:
    given = [(time, fact) for time, fact in observed if "addresses" in fact["record"]["asserts"]]
    latest = max((time for time, _ in given), default=0)
    facts = [fact for time, fact in given if past or time == latest]
    return {normal(address) for fact in facts for address in (fact.get("person") or {}).get("addresses") or ()}


def _left(own: Sequence[Observation], related: Sequence[Observation], now: int) -> bool:
    """Whether the record asserts an end that has come and that no related record takes back."""
    corrected = max((time for time, fact in own if "ends" in fact["record"]["asserts"]), default=0)
    ends = [(time, end) for time, fact in own for end in _asserted_ends(time, fact, now, given=time == corrected)]
    return any(not any(_employs(t, fact, time, end, now) for t, fact in related) for time, end in ends)


def _asserted_ends(time: int, fact: FactDict, now: int, *, given: bool) -> list[int]:
    """Return the ends at or before now that an observation asserts; those of `ends` only if it is `given`: the latest value."""
    record = fact["record"]
    status = [time] if "status" in record["asserts"] and record.get("status") == "ended" else []
    ends = [record["ends"]["instant"]] if given and "ends" in record["asserts"] and record.get("ends") else []
    return [instant for instant in [*status, *ends] if instant <= now]


def _employs(time: int, fact: FactDict, asserted: int, end: int, now: int) -> bool:
    """Whether an observation after the one that asserted `end` shows that the employment continues."""
    record = fact["record"]
    active = "status" in record["asserts"] and record.get("status") in ("active", "leave") and time >= end
    ahead = "ends" in record["asserts"] and (not record.get("ends") or record["ends"]["instant"] > now)
    return bool(time > asserted and (active or ahead))


@dataclass(frozen=True)
class _ActiveAccount:
    key: Key
    link: str | None
    addresses: frozenset[str]


def _accounts(facts: Sequence[LoggedFact], *, past_addresses: bool) -> list[_ActiveAccount]:
    in_force = decisions(facts)
    by_account: dict[Key, list[LoggedFact]] = {}
    listings = applied_snapshots(facts, "admins")
    rows = [row for listing in listings for row in listing.rows]
    for logged in facts:
        if logged.kind in TEAMMATE_KINDS:
            by_account.setdefault((logged.fact["app_id"], logged.fact["account"]), []).append(logged)
    for row in rows:
        by_account.setdefault((row.fact["app_id"], row.fact["account"]), []).append(row)
    return [
        _ActiveAccount(key, _link(in_force, key), _account_addresses(of, past=past_addresses))
        for key, of in sorted(by_account.items())
        if presence(of, [listing for listing in listings if listing.app_id == key[0]], key[1]).status == "active"
    ]


def _link(in_force: Mapping[Subject, Sequence[LoggedFact]], account: Key) -> str | None:
    made = in_force.get(("link", *account), [])
    return made[-1].fact.get("staff") if made and made[-1].kind == "account.linked" else None


def _account_addresses(facts: Sequence[LoggedFact], *, past: bool) -> frozenset[str]:
    given = [(second(f.fact["time"]), a) for f in facts for a in (f.fact.get("person") or {}).get("addresses") or ()]
    latest = max((time for time, _ in given), default=0)
    return frozenset(normal(address) for time, address in given if past or time == latest)


def _named(accounts: Sequence[_ActiveAccount], staff: str, addresses: set[str], alias: dict[str, str]) -> Iterator[Key]:
    """Yield the accounts that the record's address, or a link to it, names, unless a link names another record."""
    for account in accounts:
        if account.link == staff or (account.link is None and _forms(account.addresses, alias) & _forms(addresses, alias)):
            yield account.key


def _forms(addresses: set[str] | frozenset[str], alias: dict[str, str]) -> set[str]:
    return {form for address in addresses for form in (address, translated(address, alias))}
