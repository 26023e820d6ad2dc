"""The rows of the identity agent's table. A row's tag is written out, so that a class can be renamed without a change of any table."""

from functools import lru_cache
from hashlib import blake2b
from typing import Final, TypeAlias, Union

import msgspec

from schemas.profiles.identity import PERSON, Claim, IdentityRules, Key, Scope
from schemas.profiles.registers import Assignment

_DIGEST_BYTES: Final = 12  # of a key's value: by chance two of a thousand million values are alike once in 10^11 tables
_MERGED_INTO: Final = "merged_into"  # the type of the index of merges by target, which is no type of key


class ClaimRow(msgspec.Struct, frozen=True, array_like=True, tag="claim"):
    """A record, in its scope's group: its claim, and its assignment as last sent; None while it is a person of its own."""

    claim: Claim
    assignment: Assignment | None = None


class SoleClaimant(msgspec.Struct, frozen=True, array_like=True, tag="sole"):
    """In the own row of a value's group, or of a merge target's: the one record that claims it. Most values have one claimant."""

    record: str


class SharedValue(msgspec.Struct, frozen=True, array_like=True, tag="shared"):
    """The same where several records do: each has an item of the group."""


class Claimant(msgspec.Struct, frozen=True, array_like=True, tag="claimant"):
    """In the group of a value that several records claim: that this one does."""


class RulesRow(msgspec.Struct, frozen=True, array_like=True, tag="rules"):
    """A tenant's own rules, in the scope's own row."""

    rules: IdentityRules


IdentityRow: TypeAlias = Union[ClaimRow, SoleClaimant, SharedValue, Claimant, RulesRow]  # noqa: UP007 - this form has the name that errors show


def group_of(scope: Scope) -> str:
    """Return the group of a scope's records."""
    return scope.tenant if scope.profile_type == PERSON else f"{scope.tenant}:{scope.profile_type}"  # no tenant's id has a colon


@lru_cache(maxsize=1 << 12)  # each claim asks two or three times
def group_of_key(scope: Scope, key: Key) -> str:
    """Return the group of those who claim a value. Values can be long, and hold any character, so their digest stands for them."""
    digest = blake2b(f"{key.type}:{key.value}".encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
    return f"{group_of(scope)}:{digest}"


def group_of_target(scope: Scope, target: str) -> str:
    """Return the group of the records that were merged into one."""
    return group_of_key(scope, Key(_MERGED_INTO, target))
