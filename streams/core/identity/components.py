"""Records connected by shared keys and by merges are one person. Everything here follows from the claims alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple, Protocol

from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import Claim, Key
from streams.core.identity.merges import MergeEdge, ignored_merges
from streams.core.identity.rules import LinkingKeys

_NOTHING: Final = Claim()


class Claimants(NamedTuple):
    """Who claims a key. `named` are what activities name by the value itself: they follow whose value it is, and decide nothing."""

    records: Sequence[str] = ()
    named: Sequence[str] = ()


class Claims(Protocol):
    """The current claims of one tenant."""

    def claim(self, record: str) -> Claim | None: ...
    def claimants(self, key: Key, most: int) -> Claimants:
        """Return who claims a key, at most so many of each kind."""

    def merged_into(self, record: str) -> Sequence[str]:
        """Return the records that claim to have been merged into this one."""


class Component(NamedTuple):
    """One person: its records in order of their keys, and by record the merges that do not count."""

    records: tuple[str, ...]
    founder: str
    ignored: dict[str, tuple[str, ...]]


class _MergeGroup(NamedTuple):
    """Records connected by merges alone."""

    merged_away: frozenset[str]
    ignored: frozenset[tuple[str, str]]


class Linker:
    """Finds who belongs together in one state of the claims. It remembers what it has seen: after a change, make a new one."""

    def __init__(self, keys: LinkingKeys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims
        self._groups: dict[str, _MergeGroup] = {}

    def component(self, start: str) -> Component | None:
        """Return the component of a record; None where nobody in it claims anything, such as a merge's unknown target alone."""
        found = self._connected(start)
        claims = {record: claim for record in found if (claim := self._claims.claim(record)) is not None}
        if not claims:
            return None
        return Component(tuple(sorted(claims)), founder_of(claims), dict(self._ignored(claims)))

    def components(self, records: Iterable[str]) -> Iterator[Component]:
        """Yield the component of each record, each once."""
        done: set[str] = set()
        for record in sorted(records):
            if record not in done and (component := self.component(record)) is not None:
                done.update(component.records)
                yield component

    def joins_nobody(self, record: str, claim: Claim) -> bool:
        """Return whether a record that claims nothing yet would be a person of its own: nobody shares a value with it, nor a merge."""
        if claim.merges or self._claims.merged_into(record):
            return False
        return not any(any(self._claims.claimants(key, 1)) for key in claim.keys)

    def touched(self, record: str, before: Claim | None, after: Claim) -> set[str]:
        """Return the records whose component may change with a claim. This linker's claims are those before the change.

        These are the record's own component, and those of the claimants of a value that comes or goes: one claimant more or less can
        decide whether the value links at all. A component that the record joins is found from the record, after the change.
        """
        before = before or _NOTHING
        starts = {record}
        for key in {*before.keys} ^ {*after.keys}:
            if self._keys.may_link(key):
                claimants = self._claims.claimants(key, self._keys.limit + 1)
                if len(claimants.records) <= self._keys.limit or key in before.keys:
                    starts.update(*claimants)
        found = {record}
        for component in self.components(starts):
            found.update(component.records)
        return found

    def _connected(self, start: str) -> list[str]:
        """Return all records that links lead to, those that claim nothing among them; `start` comes first."""
        found, seen = [start], {start}
        looked_at: set[Key] = set()
        for record in found:  # which grows meanwhile
            for other in self._neighbours(record, looked_at):
                if other not in seen:
                    seen.add(other)
                    found.append(other)
        return found

    def _neighbours(self, record: str, looked_at: set[Key]) -> Iterator[str]:
        yield from self._claims.merged_into(record)
        claim = self._claims.claim(record)
        if claim is None:
            return
        for target, _ in claim.merges:
            yield target
        for key in self._linking_keys(record, claim):
            if key not in looked_at:
                looked_at.add(key)
                yield from (other for other in self._linked(key, claim) if self._is_linked_by(other, key))

    def _linked(self, key: Key, claim: Claim) -> Iterable[str]:
        """Return whom a key links with somebody who claims it. What is named by a value counts for itself, so that events part nobody."""
        limit = self._keys.limit
        records, named = self._claims.claimants(key, limit + 1)
        if len(records) > limit or len(records) + len(named) == 1:
            return ()
        if len(named) <= limit:
            return chain(records, named)
        return () if claim.answer_to == VALUE_KIND else records

    def _is_linked_by(self, record: str, key: Key) -> bool:
        claim = self._claims.claim(record)
        return claim is not None and key in self._linking_keys(record, claim)

    def _linking_keys(self, record: str, claim: Claim) -> list[Key]:
        """Return the keys by which a record is linked. One that was merged away has none: its keys are its successor's business."""
        if claim.merges and record in self._group(record).merged_away:
            return []
        return self._keys.of(claim)

    def _ignored(self, claims: dict[str, Claim]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for record, claim in claims.items():
            ignored = self._group(record).ignored if claim.merges else ()
            if targets := tuple(target for target, _ in claim.merges if (record, target) in ignored):
                yield record, targets

    def _group(self, start: str) -> _MergeGroup:
        if start in self._groups:
            return self._groups[start]
        found, seen, edges = [start], {start}, []
        for record in found:  # which grows meanwhile
            claim = self._claims.claim(record) or _NOTHING
            edges += [MergeEdge(version, record, target) for target, version in claim.merges]
            for other in (*(target for target, _ in claim.merges), *self._claims.merged_into(record)):
                if other not in seen:
                    seen.add(other)
                    found.append(other)
        ignored = ignored_merges(edges)
        merged_away = frozenset(source for _, source, target in edges if (source, target) not in ignored)
        group = _MergeGroup(merged_away, ignored)
        self._groups |= dict.fromkeys(found, group)
        return group


def founder_of(claims: Mapping[str, Claim]) -> str:
    """Return the record that a profile of several is named after: the oldest one."""
    return min(claims, key=lambda record: _age(record, claims[record]))


def _age(record: str, claim: Claim) -> tuple[bool, bool, int, str]:
    """Order records by creation time; those without one come last, and behind them what activities name by a value."""
    return claim.answer_to == VALUE_KIND, claim.created is None, claim.created or 0, record
