"""What a history of people consists of: everything that can reach the agents from outside, one input after the other."""

import json
from typing import Any, NamedTuple

from schemas.intercom.rest_objects import ReadAs, Reading
from schemas.profiles.identity import IdentityRules
from schemas.profiles.policies import ProfilePolicy

TENANT = "acme"
APPS = ("abc12345", "other999")
SOURCES = ("crm", "billing")
ERASURE_KEY = "a secret of at least 32 characters"
HASH_KEY = "another secret of at least 32 characters"
PERSON, ORG = "person", "org"


class Post(NamedTuple):
    """A webhook's body, as JSON gives it."""

    body: dict[str, Any]


class Foreign(NamedTuple):
    """A record of another system, about a person or an organisation."""

    kind: str
    value: dict[str, Any]

    @property
    def key(self) -> str:
        return f"{self.value['source']}:{self.value['id']}"


class Withdrawal(NamedTuple):
    """A source is withdrawn whole. It concerns what lies before it."""

    source: str
    number: int


class Erased(NamedTuple):
    """A record of a person is erased for good."""

    key: str


class Applied(NamedTuple):
    """A version of the policy of one kind of profiles."""

    kind: str
    version: int
    policy: ProfilePolicy


class Ruled(NamedTuple):
    """The rules of identity of one kind of profiles, from then on."""

    kind: str
    rules: IdentityRules


class Read(NamedTuple):
    """A contact or company as REST showed it; `requested` in ms by Intercom's clock. `successor` is of a contact that was merged away."""

    type: str
    app: str
    id: str
    item: dict[str, Any]
    read_as: ReadAs
    requested: int
    successor: str | None = None

    @property
    def reading(self) -> Reading:
        return Reading(
            app_id=self.app,
            type=self.type,
            entity=self.id,
            value=json.dumps(self.item).encode(),
            read_as=self.read_as,
            requested_at=self.requested,
            successor=self.successor,
        )


Input = Post | Foreign | Withdrawal | Erased | Applied | Ruled | Read


class History(NamedTuple):
    """The inputs in one order, and the rules of identity that hold from the beginning, by kind of profile, until others are among them."""

    inputs: list[Input]
    rules: dict[str, IdentityRules]
