"""Which record's value each field has by a policy's strategies: every record makes an offer for a field, and the best one wins.

`docs/profiles.md` has the definition. An offer follows from the registers of one record, and the first record of a profile from
those of all: the order of events decides nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from schemas.profiles.policies import (
    APPEND_ONLY,
    EVERY_SOURCE,
    IGNORE,
    OVERWRITE,
    FieldPolicy,
    ProfilePolicy,
    of_field,
    source_of,
)
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Version
from streams.core.profiles.patterns import matcher, specificity
from streams.core.profiles.policies import Assertion, Assertions, Records, ResolvedLayers, latest_wins, links
from streams.core.profiles.storage import LIST_OF_KIND, MOST_NAMES
from streams.core.records.registers import active_edges, first_active, first_values

_DEFAULT: Final = FieldPolicy("*")


LOCKED: Final = "locked"
ONLY_EMPTY: Final = "only_empty"


class _Rule(NamedTuple):
    """What a source's records offer for one field, their place in its priority, and which rule made it so."""

    strategy: str
    place: int
    because: str


class _Offer(NamedTuple):
    """A value that a record offers; those of `overwrite` go before all others."""

    fills: bool
    place: int
    assertion: Assertion
    value: Value

    def is_better_than(self, other: "_Offer") -> bool:
        """Return whether it wins: by strategy, then by priority, then the latest of what overwrites and the earliest of what fills."""
        if self[:2] != other[:2]:
            return self[:2] < other[:2]
        return self.assertion < other.assertion if self.fills else self.assertion > other.assertion


_Find = Callable[[str, str], _Rule]


class _SourceRules(dict[str, _Rule]):
    """The rules of a source by field, each found at its first use."""

    def __init__(self, find: _Find, source: str) -> None:
        self._find = find
        self._source = source

    def __missing__(self, name: str) -> _Rule:
        if len(self) > MOST_NAMES:
            self.clear()
        rule = self[name] = self._find(self._source, name)
        return rule


class _BySource(dict[str, _SourceRules]):
    """The same by source: a tenant has a handful."""

    def __init__(self, find: _Find) -> None:
        self._find = find

    def __missing__(self, source: str) -> _SourceRules:
        rules = self[source] = _SourceRules(self._find, source)
        return rules


class Offers:
    """Applies the strategies, protections and priorities of one policy."""

    def __init__(self, policy: ProfilePolicy) -> None:
        self._strategy = of_field(policy.strategy)
        self._strategies = {rule.source: of_field(rule.strategy) for rule in policy.sources}
        self._priority = policy.priority
        self._fields = [
            (matcher([rule.pattern]), rule) for rule in sorted(policy.fields, key=lambda rule: specificity(rule.pattern))
        ]
        self._of_source: dict[str, _SourceRules] = _BySource(self._find)
        self._restricted: dict[tuple[str, tuple[str, ...]], frozenset[str] | None] = {}

    def layers(self, records: Records) -> ResolvedLayers:
        """Return the values of all fields of a profile, those of one assertion together."""
        first = _first_record(records)
        if len(records) == 1:  # a record has one offer for a field
            return [
                (assertion, values)
                for record, registers in records.items()
                for _, assertion, values in self._offers(record, registers, first)
            ]
        best: dict[str, _Offer] = {}
        for record, registers in records.items():
            rule_of = self._of_source[source_of(record)].__getitem__
            for fills, assertion, values in self._offers(record, registers, first):
                for name, value in values.items():
                    offer, other = _Offer(fills, rule_of(name).place, assertion, value), best.get(name)
                    if other is None or offer.is_better_than(other):
                        best[name] = offer
        layers: dict[Assertion, dict[str, Value]] = {}
        for name, offer in best.items():
            layers.setdefault(offer.assertion, {})[name] = offer.value
        return list(layers.items())

    def links(self, records: Records) -> dict[str, Assertions]:
        """Return the entries of all lists, by kind of edge, as `streams.core.profiles.policies.links` does."""
        first = _first_record(records)
        return links(records, lambda record, registers: self._edges(record, registers, first))

    def restricted(self, source: str, names: tuple[str, ...]) -> frozenset[str] | None:
        """Return which of these fields the records of a source do not overwrite; None where it does not overwrite a list."""
        key = source, names
        if key not in self._restricted:
            if len(self._restricted) > MOST_NAMES:
                self._restricted.clear()
            rules = self._of_source[source]
            overwrites = all(rules[name].strategy == OVERWRITE for name in LIST_OF_KIND.values())
            found = frozenset(name for name in names if rules[name].strategy != OVERWRITE)
            self._restricted[key] = found if overwrites else None
        return self._restricted[key]

    def filling(self, record: str, registers: Registers) -> list[tuple[Version, Mapping[str, Value]]]:
        """Return what the only record of a profile offers for fields that its source does not overwrite, those of one version together."""
        return list(self._filling(record, registers, _first_record({record: registers})))

    def restriction(self, source: str, name: str) -> str | None:
        """Return the rule by which records of a source may not overwrite a field: `locked`, `only_empty` or a strategy. None where they may."""
        rule = self._of_source[source][name]
        return None if rule.strategy == OVERWRITE else rule.because

    def place(self, source: str, name: str) -> int:
        """Return the place of a source in the priority of a field; 0 is the best."""
        return self._of_source[source][name].place

    def _offers(
        self, record: str, registers: Registers, first: "_First | None"
    ) -> Iterator[tuple[bool, Assertion, Mapping[str, Value]]]:
        """Yield what a record offers, the fields of one assertion together, and whether it only fills."""
        rules = self._of_source[source_of(record)]
        for version, values in registers.now:
            offered = {name: value for name, value in values.items() if value is not None and rules[name].strategy == OVERWRITE}
            if offered:
                yield False, Assertion(version, record), offered
        for version, filled in self._filling(record, registers, first):
            yield True, Assertion(version, record), filled

    def _filling(
        self, record: str, registers: Registers, first: "_First | None"
    ) -> Iterator[tuple[Version, Mapping[str, Value]]]:
        """Yield the earliest values that a record offers where it only fills, those of one version together."""
        rules = self._of_source[source_of(record)]
        birth = first.birth if first is not None and first.record == record else None
        for version, values in first_values(registers):
            filling = (APPEND_ONLY, IGNORE) if version == birth else (APPEND_ONLY,)
            filled = {name: value for name, value in values.items() if rules[name].strategy in filling}
            if filled:
                yield version, filled

    def _edges(self, record: str, registers: Registers, first: "_First | None") -> Iterable[tuple[str, Version]] | None:
        rules = self._of_source[source_of(record)]
        strategies = {kind: rules[name].strategy for kind, name in LIST_OF_KIND.items()}
        return self._edges_by(strategies, record, registers, first) if set(strategies.values()) != {OVERWRITE} else None

    def _edges_by(
        self, strategies: Mapping[str, str], record: str, registers: Registers, first: "_First | None"
    ) -> Iterator[tuple[str, Version]]:
        for name, version in active_edges(registers):
            if strategies.get(name.partition(":")[0], OVERWRITE) == OVERWRITE:
                yield name, version
        for _, names in registers.on:
            for name in names:
                strategy, since = strategies.get(name.partition(":")[0], OVERWRITE), first_active(registers, name)
                if since is not None and (strategy == APPEND_ONLY or (strategy == IGNORE and _at_birth(record, since, first))):
                    yield name, since

    def _find(self, source: str, name: str) -> _Rule:
        rule = next((each for matches, each in self._fields if matches(name)), _DEFAULT)
        strategy = because = rule.strategy or self._strategies.get(source, self._strategy)
        if strategy == OVERWRITE and _concerns(rule.only_empty, source):
            strategy, because = APPEND_ONLY, ONLY_EMPTY
        if _concerns(rule.locked, source):
            strategy, because = IGNORE, LOCKED
        priority = rule.priority or self._priority
        return _Rule(strategy, priority.index(source) if source in priority else len(priority), because)


def offers_of(policy: ProfilePolicy) -> Offers | None:
    """Return how to apply a policy; None where the latest value wins in every field, as without a policy."""
    strategies = {policy.strategy, *(rule.strategy for rule in policy.sources)}
    if {of_field(strategy) for strategy in strategies} == {OVERWRITE} and not policy.priority and not policy.fields:
        return None
    return Offers(policy)


def resolved(records: Records, offers: Offers | None) -> ResolvedLayers:
    """Return the values of all fields of a profile."""
    return latest_wins(records) if offers is None else offers.layers(records)


def entries(records: Records, offers: Offers | None) -> dict[str, Assertions]:
    """Return the entries of all lists of a profile, by kind of edge."""
    return links(records) if offers is None else offers.links(records)


class _First(NamedTuple):
    """The first record of a profile, and its birth."""

    birth: Version
    record: str


def _first_record(records: Records) -> _First | None:
    births = [
        _First(version, record)
        for record, registers in records.items()
        for version, values in first_values(registers)[:1]  # the least
        if values
    ]
    return min(births, default=None)


def _at_birth(record: str, since: Version, first: _First | None) -> bool:
    return first is not None and first.record == record and since.second <= first.birth.second


def _concerns(sources: tuple[str, ...], source: str) -> bool:
    return EVERY_SOURCE in sources or source in sources
