"""A source record: all that was ever asserted of it, and what follows from that, asked again each time."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from schemas.profiles.version import Rank, Version
from tests.support.profile_laws.assertions import EDGE, FIELD, LIST, MARK, PERSON, Assertion
from tests.support.profile_laws.inputs import APPS

CONSENT = ("unsubscribed_from_emails", "unsubscribed_from_sms", "sms_consent")


class Value(NamedTuple):
    """A value and when it was asserted."""

    value: Any
    version: Version


class Record:
    """One record. `merged_away` is set once it is known which merges count."""

    def __init__(self, key: str, assertions: Sequence[Assertion]) -> None:
        self.key = key
        self.kind = assertions[0].kind
        self.assertions = assertions
        self.source = key.partition(":")[0]
        self.merged_away = False

    @property
    def names(self) -> set[str]:
        return {each.name for each in self.assertions if each.what == FIELD}

    def _asserted(self, name: str) -> list[Value]:
        return [Value(a.value, a.version) for a in self.assertions if a.what == FIELD and a.name == name]

    def now(self, name: str) -> Value:
        return max(self._asserted(name), key=lambda each: each.version, default=Value(None, NEVER))

    def last(self, name: str) -> Value | None:
        given = [each for each in self._asserted(name) if each.value is not None]
        return max(given, key=lambda each: each.version, default=None)

    def first(self, name: str) -> Value | None:
        given = [each for each in self._asserted(name) if each.value is not None]
        return min(given, key=lambda each: each.version, default=None)

    @property
    def birth(self) -> Version | None:
        """Return the least version of all its first values."""
        firsts = [first.version for name in self.names if (first := self.first(name)) is not None]
        return min(firsts, default=None)

    def edges(self, kind: str) -> set[str]:
        """Return the ids of all edges ever asserted."""
        return {a.name[1] for a in self.assertions if a.what == EDGE and a.name[0] == kind}

    def edge(self, kind: str, id_: str) -> Value:
        """Return the latest assertion about an edge, by an event, an object or a complete list that lacks it."""
        asserted = [Value(a.value, a.version) for a in self.assertions if a.what == EDGE and a.name == (kind, id_)]
        lacking = [Value(False, a.version) for a in self.assertions if a.what == LIST and a.name == kind and id_ not in a.value]
        return max(asserted + lacking, key=lambda each: each.version)

    def since(self, kind: str, id_: str) -> Version | None:
        """Return when an edge was first asserted to be there."""
        asserted = (a.version for a in self.assertions if a.what == EDGE and a.name == (kind, id_) and a.value)
        return min(asserted, default=None)

    def active(self, kind: str) -> set[str]:
        return {id_ for id_ in self.edges(kind) if self.edge(kind, id_).value}

    def mark(self, name: str) -> Value:
        asserted = [Value(a.value, a.version) for a in self.assertions if a.what == MARK and a.name == name]
        return max(asserted, key=lambda each: each.version, default=Value(False, NEVER))

    @property
    def is_deleted(self) -> bool:
        """Deletion is final for contacts, and by time for companies and other systems' records."""
        if self.kind == PERSON and self.source in APPS:
            return any(a.value for a in self.assertions if a.what == MARK and a.name == "deleted")
        return bool(self.mark("deleted").value)

    def since_mark(self, name: str) -> Version:
        """Return when a mark was set that is there now: at first, or where it was taken off since, at last."""
        off = max((a.version for a in self._marks(name) if not a.value), default=NEVER)
        on = [a.version for a in self._marks(name) if a.value]
        return max(on) if min(on) < off < max(on) else min(on)

    def _marks(self, name: str) -> list[Assertion]:
        return [a for a in self.assertions if a.what == MARK and a.name == name]

    @property
    def merges(self) -> dict[str, Version]:
        """Return into which records it was merged, and when that was first asserted."""
        asserted: dict[str, Version] = {}
        for each in self.assertions:
            if each.what == MARK and isinstance(each.name, tuple):
                asserted[each.name[1]] = min(each.version, asserted.get(each.name[1], each.version))
        return asserted

    def statement(self, name: str) -> bool | None:
        """Return a consent field: now, or where that is empty what it was last."""
        last = self.last(name)
        return None if last is None else last.value


NEVER = Version(-(1 << 60), Rank.SNAPSHOT, 0, 0, "")


def records_of(assertions: Iterable[Assertion]) -> dict[str, dict[str, Record]]:
    """Return all records, by kind and key."""
    collected: dict[str, dict[str, set[Assertion]]] = {"person": defaultdict(set), "org": defaultdict(set)}
    for each in assertions:
        collected[each.kind][each.record].add(each)
    return {kind: {key: Record(key, list(asserted)) for key, asserted in by_key.items()} for kind, by_key in collected.items()}
