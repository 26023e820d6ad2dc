"""The oracle with one fault at a time: what the agents would look like to it if they had that fault. None would mean that nobody looks."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from unittest.mock import patch

from schemas.profiles.version import Rank
from tests.support.profile_laws import answers, identity, policies, records
from tests.support.profile_laws.assertions import EDGE, FIELD, LIST, MARK, Assertion

_of_post, _of_foreign, _record = answers.of_post, answers.of_foreign, records.Record
_strategy_of, _of_source = policies.strategy_of, policies.of_source

Change = Callable[[Assertion], Assertion | None]


@contextmanager
def altered(change: Change) -> Iterator[None]:
    """Alter or lose each assertion."""

    def through(read: Callable[..., Iterator[Assertion]]) -> Callable[..., Iterator[Assertion]]:
        return lambda given: (after for each in read(given) if (after := change(each)) is not None)

    with patch.object(answers, "of_post", through(_of_post)), patch.object(answers, "of_foreign", through(_of_foreign)):
        yield


@contextmanager
def strategy(wrong: str, instead: str) -> Iterator[None]:
    """Treat one strategy as another."""

    def chosen(*given: object) -> str:
        right = _strategy_of(*given)  # type: ignore[arg-type]
        return instead if right == wrong else right

    with patch.object(policies, "strategy_of", chosen):
        yield


@contextmanager
def method(owner: object, name: str, wrong: object) -> Iterator[None]:
    """Replace a function of the oracle."""
    with patch.object(owner, name, wrong):
        yield


def lost(what: str, *names: object) -> Change:
    """Lose what is asserted of some fields, marks or kinds of edges."""

    def change(each: Assertion) -> Assertion | None:
        name = each.name[0] if isinstance(each.name, tuple) else each.name
        return None if each.what == what and name in names else each

    return change


def _without_rank(each: Assertion) -> Assertion:
    return each._replace(version=each.version._replace(rank=Rank.SNAPSHOT))


def _without_millisecond(each: Assertion) -> Assertion:
    return each._replace(version=each.version._replace(millisecond=0))


FAULTS: Mapping[str, Callable[[], object]] = {
    **{f"the field {name} is lost": lambda name=name: altered(lost(FIELD, name)) for name in (  # type: ignore[misc]
        "external_id", "role", "email", "phone", "name", "owner_id", "language_override", "region", "city", "has_hard_bounced",
        "unsubscribed_from_emails", "unsubscribed_from_sms", "sms_consent", "created_at", "signed_up_at", "last_seen_at", "attributes.plan",
        "traits.utm_source", "company_id", "website", "industry", "size", "monthly_spend", "session_count", "user_count",
        "remote_created_at", "plan_id", "plan_name",
    )},
    **{f"the mark {name} is lost": lambda name=name: altered(lost(MARK, name)) for name in ("archived", "deleted", "merged")},  # type: ignore[misc]
    **{f"edges to {kind} are lost": lambda kind=kind: altered(lost(EDGE, kind)) for kind in ("company", "tag", "subscription")},  # type: ignore[misc]
    **{f"a complete list of {kind} asserts no absence": lambda kind=kind: altered(lost(LIST, kind)) for kind in ("company", "tag")},  # type: ignore[misc]
    "rank does not decide": lambda: altered(_without_rank),
    "milliseconds do not decide": lambda: altered(_without_millisecond),
    "now is the first value": lambda: method(_record, "now", lambda self, name: self.first(name) or records.Value(None, records.NEVER)),
    "first is the last value": lambda: method(_record, "first", _record.last),
    "last is forgotten where now is empty": lambda: method(_record, "statement", lambda self, name: self.now(name).value),
    "edges are first seen when last seen": lambda: method(_record, "since", lambda self, kind, id_: self.edge(kind, id_).version),
    "overwrite is append_only": lambda: strategy("overwrite", "append_only"),
    "append_only is overwrite": lambda: strategy("append_only", "overwrite"),
    "append_only is ignore": lambda: strategy("append_only", "ignore"),
    "ignore is append_only": lambda: strategy("ignore", "append_only"),
    "existing-only forms create": lambda: method(answers, "creates", lambda *_: True),
    "append_existing is overwrite_existing": lambda: method(
        policies, "of_source", lambda policy, source: _of_source(policy, source).replace("append_existing", "overwrite_existing")
    ),
    "overwrite_existing is append_existing": lambda: method(
        policies, "of_source", lambda policy, source: _of_source(policy, source).replace("overwrite_existing", "append_existing")
    ),
    "priority is ignored": lambda: method(policies, "_place", lambda *_: 0),
    "rules of fields are ignored": lambda: method(policies, "rule_of", lambda _, name: policies.FieldPolicy(name)),
    "nothing is denied": lambda: method(policies, "_stored", lambda asserted, _: asserted),
    "nothing is hashed": lambda: method(policies, "_hashed", lambda asserted: asserted),
    "everybody is selected": lambda: method(answers, "is_selected", lambda *_: True),
    "deleted records are never archived": lambda: method(answers, "status_of", lambda record, _: _status(record)),
    "blocked values link": lambda: method(identity, "is_blocked", lambda *_: False),
    "merges in a cycle count": lambda: method(identity, "_reaches", lambda *_: False),
    "a withdrawal withdraws nothing": lambda: method(answers, "_is_void", lambda *_: False),
    "the oldest record is the least key": lambda: method(identity, "_age", lambda record: record.key),
}  # fmt: skip


def _status(record: records.Record) -> str:
    if record.merged_away:
        return "merged"
    return "deleted" if record.is_deleted else "archived" if record.mark("archived").value else "active"
