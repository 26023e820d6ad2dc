"""What no fact may exceed: instants that a record can name, and texts and lists that a finding can cite.

Anybody in the company's network may write to `access.facts`. A fact beyond these limits would stop the agent where it is written into a
finding, so it is no fact, and becomes a dead letter.
"""

from collections.abc import Iterator
from typing import Any, Final

from schemas.access.facts import Fact
from schemas.errors import InvalidRecord

FIRST: Final = -62_135_596_800_000  # ms: the year 1, from which on a local date may be
LAST: Final = 253_402_300_799_999  # ms: the end of the year 9999, the last that RFC 3339 can name
LONGEST_TEXT: Final = 1_000  # characters
MOST_GRACE: Final = 10_000  # hours or days: more than 27 years
MOST_ADDRESSES: Final = 100  # of one person: each is an entry of the index

SHORT_VALUE: Final = LONGEST_TEXT  # bytes: a shorter value holds no longer text
_FREE: Final = frozenset({"person.text", "person.metadata", "settings.further"})  # no finding cites them


def check(fact: Fact, value: dict[str, Any], size: int) -> None:
    """Raise InvalidRecord for a fact beyond a limit; `value` is the fact as it was decoded, from `size` bytes."""
    for path, instant in _instants(fact):
        first = FIRST if path.startswith("record.") else 0
        if instant is not None and not first <= instant <= LAST:
            raise InvalidRecord(
                f"{path} of the fact lies outside the years {1 if first else 1970} to 9999; times are milliseconds since 1970"
            )
    for grace in (each for rule in (fact.policy.rules if fact.policy else ()) for each in rule.grace.values()):
        if not 0 <= grace.amount <= MOST_GRACE:
            raise InvalidRecord(f"a grace of the policy is not between 0 and {MOST_GRACE} of its unit")
    if size <= SHORT_VALUE:
        return
    if fact.person is not None and len(fact.person.addresses) > MOST_ADDRESSES:
        raise InvalidRecord(f"the fact has more than {MOST_ADDRESSES} addresses of one person; look at the sender")
    for path, text in _texts(value, ""):
        if len(text) > LONGEST_TEXT:
            raise InvalidRecord(f"{path} of the fact has more than {LONGEST_TEXT} characters; look at the sender")


def _instants(fact: Fact) -> Iterator[tuple[str, int | None]]:
    yield "time", fact.time
    if fact.record is not None:
        yield "record.starts.instant", fact.record.starts.instant if fact.record.starts else None
        yield "record.ends.instant", fact.record.ends.instant if fact.record.ends else None
    if fact.snapshot is not None:
        yield "snapshot.requested", fact.snapshot.requested
    if fact.grant is not None:
        yield "grant.starts", fact.grant.starts
        yield "grant.expires", fact.grant.expires
    if fact.classification is not None:
        yield "classification.expires", fact.classification.expires
    for rule in fact.policy.rules if fact.policy else ():
        yield "policy.rules.starts", rule.starts
        yield "policy.rules.until", rule.until
    for offset in fact.calendar.offsets if fact.calendar else ():
        yield "calendar.offsets.starts", offset.starts


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text at any depth with its path. A key of a map is a text of the map."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, path)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield path, name
            inner = f"{path}.{name}" if path else name
            if inner not in _FREE:
                yield from _texts(part, inner)
