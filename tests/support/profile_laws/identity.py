"""Which records are one profile: sections 1 to 6 of docs/profiles.md, over all records at once."""

from collections import defaultdict
from collections.abc import Mapping

from schemas.ids import derived
from schemas.profiles.identity import IdentityRules
from tests.support.profile_laws.inputs import APPS, PERSON, TENANT
from tests.support.profile_laws.records import Record

_LAST = 1 << 60


def claims(record: Record) -> dict[str, str]:
    """Return what a record claims now, in normal form, by type."""
    given = {name: record.now(name).value for name in ("external_id", "email", "phone", "company_id", "website")}
    found = {}
    if record.kind == PERSON:
        if record.source not in APPS or record.now("role").value == "user":
            found["external_id"] = (given["external_id"] or "").strip()
        found["email"] = (given["email"] or "").strip().lower()
        phone = "".join(c for c in given["phone"] or "" if c.isdigit() or c == "+")
        found["phone"] = phone if phone.startswith("+49") else ""
    else:
        found["company_id"] = (given["company_id"] or "").strip()
        site = (given["website"] or "").strip().lower().partition("://")
        found["domain"] = (site[2] or site[0]).partition("/")[0].removeprefix("www.")
    hashed = {type_ for type_, value in found.items() if "hmac-sha256:" in value}
    return {type_: value for type_, value in found.items() if value and type_ not in hashed}


def is_blocked(type_: str, value: str, rules: IdentityRules) -> bool:
    """Return whether a value links nobody."""
    own = type_ in ("external_id", "company_id")
    entries = {f"{type_}:{value.lower() if own else value}"}
    if type_ == "email":
        name, _, domain = value.rpartition("@")
        entries |= {f"email:{name}@", f"email:@{domain}"}
    return bool(entries & set(rules.blocked))


def counting_merges(records: Mapping[str, Record]) -> set[tuple[str, str]]:
    """Return the merges that close no cycle of those before them, oldest first."""
    merges = sorted(
        (version.second * 1000 + version.millisecond, key, target)
        for key, record in records.items()
        for target, version in record.merges.items()
    )
    counting = set()
    for _, key, target in merges:
        if _reaches(target, key, counting):
            continue
        counting.add((key, target))
    return counting


def _reaches(start: str, goal: str, merges: set[tuple[str, str]]) -> bool:
    reached, todo = {start}, [start]
    while todo:
        at = todo.pop()
        for source, target in merges:
            if source == at and target not in reached:
                reached.add(target)
                todo.append(target)
    return goal in reached


def profiles_of(records: Mapping[str, Record], rules: IdentityRules, kind: str) -> dict[str, list[Record]]:
    """Return the records of each profile, by its id; sets `merged_away` of each record."""
    merges = counting_merges(records)
    for record in records.values():
        record.merged_away = any(source == record.key for source, _ in merges)
    claimants: dict[tuple[str, str], set[str]] = defaultdict(set)
    for record in records.values():
        for type_, value in claims(record).items():
            claimants[type_, value].add(record.key)
    pairs = list(merges)
    for record in records.values():
        if record.merged_away:
            continue
        held = [(t, v) for t in rules.keys if (v := claims(record).get(t)) and not is_blocked(t, v, rules)]
        linking = held[:1] if rules.mode == "next" else held
        pairs += [(record.key, f"value|{at[0]}|{at[1]}") for at in linking if len(claimants[at]) <= rules.limit]
    return {
        founded: sorted(members, key=lambda record: record.key)
        for members in _connected(records, pairs)
        for founded in [derived(TENANT, kind, min(members, key=_age).key)]
    }


def _age(record: Record) -> tuple[int, str]:
    created = record.now("created_at").value
    return (_LAST if created is None else created // 1000), record.key


def _connected(records: Mapping[str, Record], pairs: list[tuple[str, str]]) -> list[list[Record]]:
    component = {node: node for pair in pairs for node in pair} | {key: key for key in records}
    changed = True
    while changed:
        changed = False
        for one, other in pairs:
            least = min(component[one], component[other])
            changed = changed or component[one] != least or component[other] != least
            component[one] = component[other] = least
    found: dict[str, list[Record]] = defaultdict(list)
    for key, record in records.items():
        found[component[key]].append(record)
    return list(found.values())
