"""Histories of which policies store nothing, or marks alone: a record that has none is no record, whatever names it and whenever."""

import random
from collections.abc import Iterator
from typing import Any

from schemas.intercom.rest_objects import ReadAs
from schemas.profiles.policies import ProfilePolicy
from tests.support.profile_laws.history import history_read_meanwhile
from tests.support.profile_laws.inputs import ORG, PERSON, Applied, History, Input, Post, Read

_CONSENT = frozenset(
    {"unsubscribed_from_emails", "unsubscribed_from_sms", "sms_consent"}
    | {"opted_in_subscription_types", "opted_out_subscription_types"}
)
_ALWAYS_STORED = frozenset({"archived", "deleted", "unarchive", "unarchived", "subscribe", "unsubscribe"})
_SIZES = (6, 10, 14)


def history_denied(seed: int) -> History:
    """Return a history whose policies deny everything. What is stored all the same is left out of most inputs."""
    draw = random.Random(f"{seed} denied")
    given = history_read_meanwhile(seed, draw.choice(_SIZES))
    inputs = [plain for each in given.inputs for plain in _plain(each, draw)]
    policies = [policy for kind in (PERSON, ORG) for policy in _policies(kind, draw)]
    return given._replace(inputs=[*inputs, *policies])


def _plain(given: Input, draw: random.Random) -> Iterator[Input]:
    """Yield an input without consent. Few of those stay that are about what is always stored; readings by an id say that a contact is not archived."""
    if isinstance(given, Applied):
        return
    if isinstance(given, Post):
        if given.body["topic"].rpartition(".")[2] not in _ALWAYS_STORED or draw.random() < 0.1:
            yield Post(_without_consent(given.body))
    elif isinstance(given, Read) and given.type == "contact" and draw.random() < 0.9:
        read_as = ReadAs.LISTED if given.read_as is ReadAs.BY_ID else given.read_as
        yield given._replace(item=_without_consent(given.item), read_as=read_as)
    else:
        yield given


def _without_consent(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_consent(each) for name, each in value.items() if name not in _CONSENT}


def _policies(kind: str, draw: random.Random) -> Iterator[Applied]:
    """Yield one or two versions, of which the second stores nothing at all at times."""
    yield Applied(kind, 1, ProfilePolicy(deny=("*",), archive_deleted=draw.random() < 0.3))
    if draw.random() < 0.3:
        yield Applied(kind, 2, ProfilePolicy(enabled=draw.random() < 0.5, deny=("*",)))
