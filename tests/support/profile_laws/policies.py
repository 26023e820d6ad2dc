"""What a policy does: what is stored, which offer a value comes from, which profiles exist and are selected (docs/profiles.md, Policies)."""

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.canonical import canonical
from schemas.profiles.policies import FieldPolicy, ProfilePolicy
from schemas.profiles.version import Version
from tests.support.profile_laws.assertions import COMPANY, EDGE, FIELD, LIST, SUBSCRIPTION, TAG, TEXTS, Assertion
from tests.support.profile_laws.inputs import HASH_KEY
from tests.support.profile_laws.records import CONSENT, Record

LIST_NAMES = {COMPANY: "companies", TAG: "tags"}

CONDITIONS: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    'person.role == "user"': lambda p: p["role"] == "user",
    'has(person.attributes.plan) && person.attributes.plan == "pro"': lambda p: _attribute(p, "plan") == "pro",
    'person.attributes.plan == "pro"': lambda p: _attribute(p, "plan") == "pro",
    "person.email != null && person.email_allowed": lambda p: p["email"] is not None and p["email_allowed"],
    "size(person.companies) > 0": lambda p: len(p["companies"]) > 0,
    'person.status == "active"': lambda p: p["status"] == "active",
    "size(person.records) > 1": lambda p: len(p["records"]) > 1,
    "org.name != null": lambda p: p["name"] is not None,
    "size(org.tags) > 0": lambda p: len(p["tags"]) > 0,
}
"""The conditions that histories use, each with its meaning. An attribute that is not there is an error and counts as false."""


class Offer(NamedTuple):
    """A record's value of a field."""

    strategy: str
    record: str
    value: Any
    version: Version


def stored(assertions: Iterable[Assertion], policies: Sequence[ProfilePolicy]) -> Iterator[Assertion]:
    """Yield what is stored of a kind under each of these policies, one after the other."""
    for each in assertions:
        kept: Assertion | None = each
        for policy in policies:
            kept = None if kept is None else _stored(kept, policy)
        if kept is not None:
            yield kept


def _stored(asserted: Assertion, policy: ProfilePolicy) -> Assertion | None:
    if not policy.enabled:
        return None
    if asserted.what == FIELD and asserted.name not in CONSENT:
        names = {asserted.name, asserted.name.removeprefix("traits.")}
    elif asserted.what in (EDGE, LIST) and (kind := asserted.name if asserted.what == LIST else asserted.name[0]) != SUBSCRIPTION:
        names = {LIST_NAMES[kind]}
    else:
        return asserted
    if any(_matches(pattern, name) for pattern in policy.deny for name in names):
        return None
    if any(_matches(pattern, name) for pattern in policy.hash for name in names):
        return _hashed(asserted)
    allowed = policy.allow is None or any(_matches(pattern, name) for pattern in policy.allow for name in names)
    return asserted if allowed else None


def _hashed(asserted: Assertion) -> Assertion | None:
    if asserted.what != FIELD:
        return None
    is_entry = "." in asserted.name
    if not is_entry and asserted.name not in TEXTS[asserted.kind]:
        return None
    if asserted.value is None or "hmac-sha256:" in asserted.value:
        return asserted
    data = asserted.value.encode() if is_entry else canonical(asserted.value)
    text = "hmac-sha256:" + hmac.new(HASH_KEY.encode(), data, "sha256").hexdigest()
    return asserted._replace(value=json.dumps(text) if is_entry else text)


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name, re.DOTALL) is not None


def of_source(policy: ProfilePolicy, source: str) -> str:
    return next((each.strategy for each in policy.sources if each.source == source), policy.strategy)


def creates(policy: ProfilePolicy, source: str) -> bool:
    return not of_source(policy, source).endswith("_existing")


def rule_of(policy: ProfilePolicy, name: str) -> FieldPolicy:
    """Return the one rule that counts for a field or list."""
    matching = [each for each in policy.fields if _matches(each.pattern, name)]
    order = sorted(matching, key=lambda e: (e.pattern != name, -len(e.pattern.replace("*", "")), e.pattern))
    return order[0] if order else FieldPolicy(name)


def strategy_of(policy: ProfilePolicy, rule: FieldPolicy, source: str) -> str:
    """Return what a source's records may do to a field."""
    strategy = rule.strategy or of_source(policy, source).replace("_existing", "").replace("append", "append_only")
    strategy = strategy.replace("append_only_only", "append_only")
    if {"*", source} & set(rule.only_empty) and strategy == "overwrite":
        strategy = "append_only"
    return "ignore" if {"*", source} & set(rule.locked) else strategy


def value_of(policy: ProfilePolicy, name: str, records: Sequence[Record]) -> Offer | None:
    """Return the offer that a field's value comes from. `records` are the contributing ones."""
    rule = rule_of(policy, name)
    offers = [offer for record in records for offer in _offer(policy, rule, name, record, records)]
    if overwriting := [offer for offer in offers if offer.strategy == "overwrite"]:
        best = min(_place(policy, rule, offer) for offer in overwriting)
        return max((o for o in overwriting if _place(policy, rule, o) == best), key=lambda o: (o.version, o.record))
    return min(offers, key=lambda o: (_place(policy, rule, o), o.version, o.record), default=None)


def _offer(policy: ProfilePolicy, rule: FieldPolicy, name: str, record: Record, records: Sequence[Record]) -> Iterator[Offer]:
    strategy = strategy_of(policy, rule, record.source)
    now, first = record.now(name), record.first(name)
    if strategy == "overwrite":
        if now.value is not None:
            yield Offer(strategy, record.key, *now)
    elif first is not None and (strategy == "append_only" or (record is first_of(records) and first.version == record.birth)):
        yield Offer(strategy, record.key, *first)


def first_of(records: Sequence[Record]) -> Record | None:
    """Return the first record of a profile."""
    born = [(birth, record.key, record) for record in records if (birth := record.birth) is not None]
    return min(born, key=lambda each: each[:2], default=(None, None, None))[2]


def _place(policy: ProfilePolicy, rule: FieldPolicy, offer: Offer) -> int:
    order = rule.priority or policy.priority
    source = offer.record.partition(":")[0]
    return order.index(source) if source in order else len(order)


def list_of(policy: ProfilePolicy, kind: str, records: Sequence[Record]) -> set[str]:
    """Return a list of a profile: all that its records offer together."""
    rule, found = rule_of(policy, LIST_NAMES[kind]), set()
    for record in records:
        strategy = strategy_of(policy, rule, record.source)
        if strategy == "overwrite":
            found |= record.active(kind)
        elif strategy == "append_only":
            found |= {id_ for id_ in record.edges(kind) if record.since(kind, id_) is not None}
        elif record is first_of(records) and (birth := record.birth) is not None:
            found |= {i for i in record.edges(kind) if (s := record.since(kind, i)) is not None and s.second <= birth.second}
    return found


def is_selected(policy: ProfilePolicy, profile: dict[str, Any]) -> bool:
    return policy.select is None or CONDITIONS[policy.select](profile)


def _attribute(profile: dict[str, Any], name: str) -> Any:
    given = profile["attributes"].get(name)
    return None if given is None else json.loads(given)
