"""What the public value of one type of profile has, and what its computed fields are made from."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.profiles.registers import Registers
from streams.core.profiles.policies import Assertions, ProfileStatus, Records


class Permissions(NamedTuple):
    """What a record that has no statement about a channel permits."""

    email: bool = True
    sms: bool = False


class ConsentBasis(msgspec.Struct, frozen=True, gc=False):
    """What consent follows from: the records that count for values, and all that were not merged away."""

    contributors: Records
    unmerged: Records
    permissions: Permissions


class PublicSchema(msgspec.Struct, frozen=True, kw_only=True):
    """The public fields of one type of profile. `texts` are the fields that are text; `computed` adds what follows from all records.

    `ends` say since when a profile is none that is active, and why; one that is active has none of them.
    """

    kind: str
    status: Callable[[Registers], ProfileStatus]
    fields: frozenset[str]
    texts: frozenset[str]
    ends: frozenset[str]
    lists: Mapping[str, str]  # public name → kind of edge
    computed: Callable[[ConsentBasis, dict[str, Any]], Assertions]

    @property
    def nullable(self) -> frozenset[str]:
        """The names of what a profile need not have: without a value they are null."""
        return self.fields | self.ends
