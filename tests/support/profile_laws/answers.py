"""The right answers: people, organisations and memberships that follow from a set of inputs, computed from all of them at once."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from schemas.ids import derived
from schemas.profiles.policies import ProfilePolicy
from tests.support.profile_laws.assertions import (
    COMPANY,
    FLAGS,
    IDS,
    NUMBERS,
    SUBSCRIPTION,
    TAG,
    TEXTS,
    TIMES,
    of_foreign,
    of_post,
    of_read,
)
from tests.support.profile_laws.identity import profiles_of
from tests.support.profile_laws.inputs import (
    ORG,
    PERSON,
    TENANT,
    Applied,
    Erased,
    Foreign,
    History,
    Input,
    Post,
    Read,
    Ruled,
    Withdrawal,
)
from tests.support.profile_laws.policies import Offer, creates, is_selected, list_of, stored, value_of
from tests.support.profile_laws.records import CONSENT, Record, records_of


class Origin(NamedTuple):
    """Where a value comes from. `event` is empty for records of other systems, whose events have ids of the product's own."""

    record: str
    event: str
    time: int


class Answers(NamedTuple):
    """What has to be published: values of `people` and `orgs` by id, `memberships` by `org|record`, and which id is an alias of which."""

    people: dict[str, dict[str, Any]]
    orgs: dict[str, dict[str, Any]]
    memberships: dict[str, dict[str, Any]]
    people_aliases: dict[str, dict[str, Any]]
    orgs_aliases: dict[str, dict[str, Any]]


def answers(history: History) -> Answers:
    """Return the answers. Of the order of inputs only that counts which the documents let count: what a withdrawal lies behind."""
    inputs = history.inputs
    policies = {kind: _policies(inputs, kind) for kind in (PERSON, ORG)}
    asserted = [each for given in inputs if not _is_void(given, inputs) for each in _assertions(given)]
    erased = {given.key for given in inputs if isinstance(given, Erased)}
    asserted = [each for each in asserted if not (each.kind == PERSON and each.record in erased)]
    kept = [a for kind in (PERSON, ORG) for a in stored((a for a in asserted if a.kind == kind), policies[kind])]
    records = records_of(kept)
    rules = history.rules | {given.kind: given.rules for given in inputs if isinstance(given, Ruled)}
    profiles = {kind: profiles_of(records[kind], rules[kind], kind) for kind in (PERSON, ORG)}
    published = {kind: _published(kind, profiles[kind], policies[kind][-1]) for kind in (PERSON, ORG)}
    aliases = {kind: _aliases(kind, profiles[kind]) for kind in (PERSON, ORG)}
    return Answers(published[PERSON], published[ORG], _memberships(profiles), aliases[PERSON], aliases[ORG])


def _aliases(kind: str, profiles: dict[str, list[Record]]) -> dict[str, dict[str, Any]]:
    """Return the ids that have no records: each belongs to a record that is elsewhere."""
    moved = ((derived(TENANT, kind, record.key), id_, record.key) for id_, records in profiles.items() for record in records)
    return {own: {"moved_to": id_, "record": key} for own, id_, key in moved if own != id_}


def _policies(inputs: Iterable[Input], kind: str) -> list[ProfilePolicy]:
    applied = sorted({(i.version, i) for i in inputs if isinstance(i, Applied) and i.kind == kind}, key=lambda each: each[0])
    return [ProfilePolicy(), *(each.policy for _, each in applied)]


def _is_void(given: Input, inputs: Sequence[Input]) -> bool:
    """Return whether a record of another system is withdrawn, and was not sent again since."""
    if not isinstance(given, Foreign):
        return False
    withdrawals = [each for each in inputs if isinstance(each, Withdrawal) and each.source == given.value["source"]]
    places = [inputs.index(each) for each in withdrawals]  # the same withdrawal again is a repetition
    sent = [
        at for at, each in enumerate(inputs) if isinstance(each, Foreign) and (each.kind, each.key) == (given.kind, given.key)
    ]
    return bool(places) and max(sent) < max(places)


def _assertions(given: Input) -> list[Any]:
    if isinstance(given, Post):
        return list(of_post(given))
    if isinstance(given, Read):
        return list(of_read(given))
    return list(of_foreign(given)) if isinstance(given, Foreign) else []


def status_of(record: Record, policy: ProfilePolicy) -> str:
    if record.merged_away:
        return "merged"
    if record.is_deleted:
        return "archived" if policy.archive_deleted else "deleted"
    return "archived" if record.mark("archived").value else "active"


def _published(kind: str, profiles: dict[str, list[Record]], policy: ProfilePolicy) -> dict[str, dict[str, Any]]:
    found = {}
    for id_, records in profiles.items():
        creating = [record for record in records if not record.merged_away] or records
        if any(creates(policy, record.source) for record in creating):
            value = _profile(kind, id_, records, policy)
            if is_selected(policy, value):
                found[id_] = value
    return found


def contributing(records: Sequence[Record], policy: ProfilePolicy) -> list[Record]:
    alive = [record for record in records if status_of(record, policy) in ("active", "archived")]
    return alive or [record for record in records if status_of(record, policy) == "deleted"]


def _profile(kind: str, id_: str, records: Sequence[Record], policy: ProfilePolicy) -> dict[str, Any]:
    sources = contributing(records, policy)
    statuses = [status_of(record, policy) for record in records]
    value: dict[str, Any] = {
        "id": id_,
        "tenant": TENANT,
        "status": next(status for status in ("active", "archived", "deleted", "merged") if status in statuses),
        "records": [{"key": record.key, "status": status_of(record, policy)} for record in records],
    }
    fields = TEXTS[kind] | IDS[kind] | TIMES[kind] | (NUMBERS if kind == ORG else FLAGS - set(CONSENT))
    names = {name for record in sources for name in record.names} | fields
    chosen = {name: value_of(policy, name, sources) for name in sorted(names - set(CONSENT))}
    value |= {name: None if chosen[name] is None else chosen[name].value for name in fields}
    for group in ("attributes", "traits"):
        prefix = f"{group}."
        value[group] = {n.removeprefix(prefix): o.value for n, o in chosen.items() if n.startswith(prefix) and o is not None}
    value["provenance"] = {name: _origin(offer) for name, offer in chosen.items() if offer is not None}
    value["tags"] = sorted(list_of(policy, TAG, sources))
    if kind == PERSON:
        value["companies"] = sorted(list_of(policy, COMPANY, sources))
        value |= _consent(records, sources, policy)
    return value | _marks(sources, policy)


def _origin(offer: Offer) -> Origin:
    return Origin(offer.record, offer.version.event, offer.version.second * 1000)


def _consent(records: Sequence[Record], sources: Sequence[Record], policy: ProfilePolicy) -> dict[str, Any]:
    unmerged = [record for record in records if not record.merged_away]
    out = {id_ for r in unmerged for id_ in r.edges(SUBSCRIPTION) if not r.edge(SUBSCRIPTION, id_).value}
    in_ = {id_ for record in sources for id_ in record.active(SUBSCRIPTION)}
    return {
        "email_allowed": not any(email(r) is False for r in unmerged) and bool(sources) and all(_or(email(r), policy.email) for r in sources),
        "sms_allowed": not any(sms(r) is False for r in unmerged) and bool(sources) and all(_or(sms(r), policy.sms) for r in sources),
        "unsubscribed": sorted(out),
        "subscribed": sorted(in_ - out),
    }  # fmt: skip


def _or(statement: bool | None, otherwise: bool) -> bool:
    return otherwise if statement is None else statement


def email(record: Record) -> bool | None:
    """Return whether a record permits e-mail; None without a statement."""
    unsubscribed = record.statement("unsubscribed_from_emails")
    return None if unsubscribed is None else not unsubscribed


def sms(record: Record) -> bool | None:
    consent, unsubscribed = record.statement("sms_consent"), record.statement("unsubscribed_from_sms")
    if consent is False or unsubscribed:
        return False
    return True if consent else None


def _marks(sources: Sequence[Record], policy: ProfilePolicy) -> dict[str, Any]:
    archived = []
    for record in sources:
        if status_of(record, policy) == "archived":
            mark = record.since_mark("deleted" if record.is_deleted else "archived")
            archived.append((mark, record.key, record.is_deleted))
    whole = len(archived) == len(sources)  # archived only where all that count are
    latest = max(archived, default=None) if whole else None
    deleted = [record.since_mark("deleted") for record in sources if status_of(record, policy) == "deleted"]
    return {
        "archived_at": latest[0].second * 1000 if latest else None,
        "archived_because": ("deleted" if latest[2] else "archived") if latest else None,
        "deleted_at": max(deleted).second * 1000 if deleted else None,
    }


def _memberships(profiles: dict[str, dict[str, list[Record]]]) -> dict[str, dict[str, Any]]:
    org_of = {record.key: id_ for id_, records in profiles[ORG].items() for record in records}
    best: dict[str, tuple[Any, dict[str, Any]]] = {}
    for person, records in profiles[PERSON].items():
        for record in records:
            if record.merged_away or record.is_deleted:
                continue
            for company in record.active(COMPANY):
                since = record.since(COMPANY, company)
                assert since is not None
                org = org_of.get(company, derived(TENANT, ORG, company))
                value = {"org": org, "record": record.key, "person": person, "company": company, "since": since.second * 1000}
                rank = (since.second, since.event, company)
                key = f"{org}|{record.key}"
                if key not in best or rank < best[key][0]:
                    best[key] = rank, value
    return {key: value for key, (_, value) in best.items()}
