"""Random policies: each version of one kind denies what the one before denied, since a denied value is gone for good."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.profiles.policies import STRATEGIES, FieldPolicy, ProfilePolicy, SourceStrategy
from tests.support.profile_laws.inputs import APPS, ORG, PERSON, SOURCES
from tests.support.profile_laws.policies import CONDITIONS

_ALL = (*APPS, *SOURCES)
_FIELDS = {
    PERSON: (
        "email",
        "name",
        "phone",
        "attributes.*",
        "attributes.plan",
        "a*",
        "*",
        "companies",
        "tags",
        "traits.*",
        "created_at",
    ),
    ORG: ("name", "website", "size", "attributes.*", "*", "tags", "company_id", "*e"),
}
_DENIED = {
    PERSON: (
        "attributes.salary",
        "phone",
        "traits.*",
        "utm_source",
        "name",
        "email",
        "tags",
        "companies",
        "created_at",
        "role",
        "*",
    ),
    ORG: ("website", "attributes.*", "name", "tags", "company_id"),
}


def policies(draw: random.Random, kind: str, more: random.Random) -> list[ProfilePolicy]:
    """Return one to three versions. Some of them have the same `allow`, and of some the last one stores nothing, as `more` decides."""
    allow = tuple(more.sample(_FIELDS[kind], more.randint(0, 4))) if more.random() < 0.15 else None
    denied: tuple[str, ...] = ()
    hashed: tuple[str, ...] = ()
    found = []
    for _ in range(draw.choice((1, 1, 2, 3))):
        if draw.random() < 0.25:
            denied = (*denied, draw.choice(_DENIED[kind]))
        if draw.random() < 0.15:
            hashed = (*hashed, draw.choice(("attributes.plan", "name", "phone", "size")))
        found.append(_policy(draw, kind, denied, hashed))
    if allow is not None:  # to hash what was not allowed before would be to allow it
        found = [msgspec.structs.replace(each, allow=allow, hash=()) for each in found]
    if more.random() < 0.05:
        found[-1] = msgspec.structs.replace(found[-1], enabled=False)
    return found


def _policy(draw: random.Random, kind: str, denied: tuple[str, ...], hashed: tuple[str, ...]) -> ProfilePolicy:
    conditions = [each for each in CONDITIONS if kind in each]
    return ProfilePolicy(
        strategy=draw.choice(STRATEGIES),
        priority=_some(draw, _ALL),
        sources=tuple(SourceStrategy(s, draw.choice(STRATEGIES)) for s in sorted(_some(draw, _ALL))),
        fields=tuple(sorted(_rules(draw, kind), key=lambda each: each.pattern)),
        deny=tuple(sorted(set(denied))),
        hash=tuple(sorted(set(hashed))),
        select=draw.choice(conditions) if draw.random() < 0.3 else None,
        archive_deleted=draw.random() < 0.4,
        email=draw.random() < 0.7,
        sms=draw.random() < 0.3,
    )


def _rules(draw: random.Random, kind: str) -> Iterator[FieldPolicy]:
    for pattern in draw.sample(_FIELDS[kind], draw.choice((0, 0, 1, 2, 3))):
        yield FieldPolicy(
            pattern,
            draw.choice((None, None, "overwrite", "append_only", "ignore")),
            _whom(draw),
            _whom(draw),
            _some(draw, _ALL) if draw.random() < 0.5 else (),
        )


def _whom(draw: random.Random) -> tuple[str, ...]:
    return draw.choice(((), (), ("*",), ("crm",), (APPS[0], "billing")))


def _some(draw: random.Random, given: Any) -> tuple[str, ...]:
    return tuple(draw.sample(given, draw.choice((0, 0, 1, 2, 3))))
