"""Which values of a profile's records its policy keeps out of the profile, and by which rule: each is a write that was skipped.

A value is skipped where the record has it now, the profile has another one or none, and it would have won but for that rule. A value
that is merely older than the profile's was not refused by anybody.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from schemas.profiles.policies import source_of
from schemas.profiles.registers import Registers, Value
from schemas.profiles.version import Version
from streams.core.profiles.offers import Offers, entries, resolved
from streams.core.profiles.policies import Assertion, Records, links
from streams.core.profiles.public_schema import PublicSchema
from streams.core.profiles.public_value import counting_records, public_value
from streams.core.profiles.rules import ProfileRules
from streams.core.profiles.selection import Answer
from streams.core.profiles.storage import CONSENT_FIELDS, LIST_OF_KIND
from streams.core.records.registers import current


class SkipReason(StrEnum):
    """Why a value is in no profile, where no rule of its field is the reason; else it is `locked`, `only_empty` or the strategy."""

    PRIORITY = "priority"  # a source that comes before it has a value
    CREATES_NO_PROFILE = "creates_no_profile"  # its source only adds to profiles that others create
    NOT_SELECTED = "not_selected"
    CONDITION_FAILED = "condition_failed"
    DENIED = "denied"  # not stored at all


class Skipped(NamedTuple):
    """A value of a record that is not in its profile, and why."""

    record: str
    field: str
    reason: str


_OF_ANSWER: Final = {Answer.NOT_SELECTED: SkipReason.NOT_SELECTED, Answer.FAILED: SkipReason.CONDITION_FAILED}


def skipped_writes(schema: PublicSchema, profile: str, tenant: str, records: Records, rules: ProfileRules) -> Iterator[Skipped]:
    """Yield what a profile's records have and the profile has not because of its tenant's policy. Of a list it is one for each entry."""
    contributors = counting_records(schema, records, rules)
    reason = _unpublished(public_value(schema, profile=profile, tenant=tenant, records=records, rules=rules), rules)
    if reason is not None:
        yield from (Skipped(record, name, reason) for record, each in contributors.items() for name, _, _ in _values(each))
    elif rules.offers is not None:
        yield from skipped_fields(contributors, rules.offers)
        yield from _skipped_entries(contributors, rules.offers)


def skipped_fields(contributors: Records, offers: Offers) -> Iterator[Skipped]:
    """Yield the values of records that count for a profile which another value stands in place of because of a rule of their field."""
    chosen = {name: (assertion, value) for assertion, values in resolved(contributors, offers) for name, value in values.items()}
    for record, registers in contributors.items():
        source = source_of(record)
        for name, value, version in _values(registers):
            known = chosen.get(name)
            if known is None or (known[1] != value and known[0] < Assertion(version, record)):
                yield Skipped(record, name, offers.restriction(source, name) or SkipReason.PRIORITY)


def _values(registers: Registers) -> Iterator[tuple[str, Value, Version]]:
    """Yield the fields of a record that are not empty now. Consent counts under any policy."""
    return (each for each in current(registers) if each[0] not in CONSENT_FIELDS)


def _skipped_entries(contributors: Records, offers: Offers) -> Iterator[Skipped]:
    published = entries(contributors, offers)
    for record, registers in contributors.items():
        for kind, targets in links({record: registers}).items():
            name, reason = LIST_OF_KIND.get(kind), None
            if name is not None:
                reason = offers.restriction(source_of(record), name)
            if name is not None and reason is not None:
                missing = targets.keys() - published.get(kind, {}).keys()
                yield from (Skipped(record, name, reason) for _ in missing)


def _unpublished(value: dict[str, Any] | None, rules: ProfileRules) -> SkipReason | None:
    """Return why a profile is not published as a whole; None where it is."""
    if value is None:
        return SkipReason.CREATES_NO_PROFILE
    return None if rules.selection is None else _OF_ANSWER.get(rules.selection.answer(value))
