"""What the agents of people's records send to the memberships agent: that a record belongs to a company.

The key of an edge is `company|record`. Where a company is part of an organisation that is named after another company, its edges are
passed on to that one as `founder|record|company`; all keys of an organisation are so written by one partition.
"""

from typing import Final, NamedTuple

import msgspec

from schemas.errors import InvalidRecord
from schemas.profiles.registers import PatchCause
from schemas.versioned import Versioned

TOPIC: Final = "membership.edges"


class MembershipEdge(msgspec.Struct, frozen=True, array_like=True):
    """A record belongs to a company: whose record it is, and since when, as that event first asserted. A tombstone ends it."""

    person: str
    since: int  # ms since 1970, cut to the second
    event: str


class EdgeMessage(msgspec.Struct, frozen=True, array_like=True):
    """An edge, and the event that changed it."""

    edge: MembershipEdge
    cause: PatchCause


class EdgeKey(NamedTuple):
    """The company that receives an edge, the record, and the company that passed it on; empty where it is that company's own edge."""

    company: str
    record: str
    passed_on_by: str = ""

    def __str__(self) -> str:
        return f"{self.company}|{self.item}"

    @property
    def item(self) -> str:
        """The edge's item in the company's group."""
        return f"{self.record}|{self.passed_on_by}" if self.passed_on_by else self.record

    @classmethod
    def parse(cls, key: str) -> "EdgeKey":
        """Return the key of a record. Raises InvalidRecord where it is none."""
        parts = key.split("|")
        if len(parts) not in (2, 3) or not all(parts):
            raise InvalidRecord(
                "an edge has the key `company|record` or `founder|record|company`; only our own agents write edges"
            )
        return cls(*parts)


EDGE: Final = Versioned(EdgeMessage)
"""The codec of `membership.edges`."""
