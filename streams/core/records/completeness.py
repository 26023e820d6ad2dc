"""Which lists of a record are known to be incomplete: a payload shows ten entries at most, and says how many there are.

A list is complete again with a later complete one, or once as many entries are known as the payload counted. That is a function of the
registers: what is counted is what was active at the payload's time, as far as they say. Where an event of one entry was lost, and one of
another, the count is the same, so a count alone proves nothing to those who look for what was lost (`lists_in_part`).
"""

from typing import Final, NamedTuple

from schemas.profiles.registers import Registers
from schemas.profiles.version import Version
from streams.core.records.kept import kept_with_registers
from streams.core.records.registers import first_activations, versions_of

_SUBSCRIPTION: Final = "subscription"
UNKNOWN: Final = -1
"""The count of a list that says that it has more entries, and not how many."""


def lists_in_part(registers: Registers) -> dict[str, Version]:
    """Return the kinds of edges of whose lists the latest payload shows a part, with its version, and no complete list is as late.

    Not those of subscriptions, which no call of Intercom's reads whole.
    """
    return {kind: part.version for kind, part in _parts(registers).items() if not kind.startswith(_SUBSCRIPTION)}


@kept_with_registers
def incomplete_lists(registers: Registers) -> dict[str, Version]:
    """Return the kinds of edges of which some are not known, with the version that says so; `subscription-` are those opted out of."""
    parts = _parts(registers)
    if not parts:
        return {}
    on, since, off = versions_of(registers.on), first_activations(registers), versions_of(registers.off)
    missing = {}
    for kind, (version, count, whole) in parts.items():
        if kind.startswith(_SUBSCRIPTION):  # its lists assert no absence, so more may be known than there are
            known = _of_kind(off if kind.endswith("-") else on, _SUBSCRIPTION)
            if count == UNKNOWN or count > len(known):
                missing[kind] = version
        elif count != sum(_was_active(on[name], since[name], (off.get(name), whole), version) for name in _of_kind(on, kind)):
            missing[kind] = version
    return missing


class _Part(NamedTuple):
    """A list of which the latest payload shows a part: how many entries it counted, and the latest complete list before it."""

    version: Version
    counted: int
    whole: Version | None


def _parts(registers: Registers) -> dict[str, _Part]:
    """Return the lists of which the latest payload shows a part by kind of edge, unless a complete list is as late."""
    counts = {
        name[1:]: (version, count)
        for version, lists in registers.complete
        for name, count in lists.items()
        if name[0] == "#" and isinstance(count, int)
    }
    complete = versions_of(registers.complete) if counts else {}
    parts = {kind: _Part(version, count, complete.get(kind)) for kind, (version, count) in counts.items()}
    return {kind: part for kind, part in parts.items() if part.whole is None or part.whole < part.version}


def _of_kind(names: dict[str, Version], kind: str) -> list[str]:
    prefix = f"{kind}:"
    return [name for name in names if name.startswith(prefix)]


def _was_active(on: Version, since: Version, denials: tuple[Version | None, ...], at: Version) -> bool:
    """Return whether an edge was active at a version. A later complete list has settled the matter before, so `whole` is earlier."""
    return since <= at and not any(denied is not None and on < denied <= at for denied in denials)
