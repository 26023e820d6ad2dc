"""Go over all groups of a partition because of a policy, some at a time between new records."""

from collections.abc import Callable
from itertools import islice
from typing import Any, Final

import msgspec

from schemas.profiles.policies import PolicyInForce
from streams.agents.policies.in_force import AppliedPolicy, PolicyTable
from streams.engine.agent import Cursor, Table

_PART: Final = 500  # a profile and each of its records count one: 60 to 100 ms where most profiles change
_MARK: Final = b"\xc1"  # MessagePack begins with it nowhere

Visit = Callable[[str, str, PolicyInForce], int]
"""Apply a tenant's policy to a group, given both, and return how many records that were."""


class _Progress(msgspec.Struct, frozen=True, array_like=True):
    """How far a version of a tenant's policy has been applied: to the groups up to this one."""

    tenant: str
    version: int
    after: str = ""


def is_of_policy(cursor: Cursor) -> bool:
    """Return whether pending work is that of a policy, for agents that leave other work too."""
    return cursor.startswith(_MARK)


def begin(applied: list[AppliedPolicy]) -> Cursor | None:
    """Return the work that policies leave. Of several versions of a tenant's the last one counts."""
    latest = {each.tenant: _Progress(each.tenant, each.version) for each in applied}
    return _encode(list(latest.values()))


def proceed(cursor: Cursor, table: Table[Any], policies: PolicyTable, visit: Visit) -> Cursor | None:
    """Visit the next groups, and return the rest of the work. A version that a later one replaced is left to that one's work."""
    current, *others = msgspec.msgpack.decode(cursor.removeprefix(_MARK), type=list[_Progress])
    row = policies.get(current.tenant)
    if row is None or row.message.version != current.version:
        return _encode(others)
    groups = list(islice(table.groups(current.after), _PART))
    records, after = 0, current.after
    for group in groups:
        records += visit(group, current.tenant, row)
        after = group
        if records >= _PART:
            break
    ended = len(groups) < _PART and (not groups or after == groups[-1])
    return _encode(others if ended else [_Progress(current.tenant, current.version, after), *others])


def _encode(progress: list[_Progress]) -> Cursor | None:
    return _MARK + msgspec.msgpack.encode(progress) if progress else None
