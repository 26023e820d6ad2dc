"""Tallies of a conversation's parts by category: how many, the first and the last. A part is counted once, whatever repeats it."""

from collections.abc import Callable, Iterable, Iterator
from types import MappingProxyType
from typing import Final

from schemas.intercom.conversations import Part, Tally

PARTS: Final = "parts"
CONTACT_REPLY, TEAMMATE_REPLY, BOT_REPLY = "contact_reply", "teammate_reply", "bot_reply"
NOTE, ASSIGNMENT, CLOSE, OPEN, SNOOZE = "note", "assignment", "close", "open", "snooze"
REDACTED: Final = "redacted"

_BY_TYPE: Final = MappingProxyType({
    "note": NOTE, "note_and_reopen": NOTE, "note_and_unsnooze": NOTE,
    "open": OPEN, "close": CLOSE, "snoozed": SNOOZE, "snooze": SNOOZE,
})  # fmt: skip
_ALSO: Final = MappingProxyType({"assign_and_reopen": OPEN, "assign_and_open": OPEN, "note_and_reopen": OPEN})
_REPLIES: Final = MappingProxyType(
    {"contact": CONTACT_REPLY, "teammate": TEAMMATE_REPLY, "bot": BOT_REPLY, "workflow": BOT_REPLY}
)
_ASSIGNS: Final = "assign"  # assignment, assign_and_unsnooze, workflow_assignment, message_strategy_assignment …
_MESSAGES: Final = frozenset({"comment", "quick_reply"})

Tallies = tuple[tuple[str, Tally], ...]


def assigns(kind: str) -> bool:
    """Return whether parts of that type assign a conversation: Intercom has a type for each way to."""
    return _ASSIGNS in kind


def says_something(part: Part) -> bool:
    """Return whether a part is a message: it has words, whatever else it does, or is of a type that has."""
    return part.worded or part.kind in _MESSAGES


def categories(part: Part) -> Iterator[str]:
    """Yield what a part counts as: a message is a reply of its author's kind, whatever else it does, unless it is a note."""
    yield PARTS
    if part.redacted:
        yield REDACTED
    category = _BY_TYPE.get(part.kind) or (ASSIGNMENT if assigns(part.kind) else None)
    if category is not None:
        yield category
    if part.kind in _ALSO:
        yield _ALSO[part.kind]
    if category != NOTE and says_something(part):
        reply = _REPLIES.get(part.author.partition(":")[0])
        if reply is not None:
            yield reply


def counted(tallies: Tallies, before: Part | None, after: Part, every: Callable[[], Iterable[Part]]) -> Tallies:
    """Return the tallies once a part is what it is now. `every` gives all parts as they are then: a category that a part left may begin elsewhere."""
    left = set() if before is None else set(categories(before))
    joined = set(categories(after))
    if before is not None and (left - joined or (before.second and before.second != after.second)):
        return tallied(every())
    known = dict(tallies)
    for name in joined:
        known[name] = _with(known.get(name), after.second, new=name not in left)
    return tuple(sorted(known.items()))


def tallied(parts: Iterable[Part]) -> Tallies:
    """Return the tallies of some parts."""
    known: dict[str, Tally] = {}
    for part in parts:
        for name in categories(part):
            known[name] = _with(known.get(name), part.second, new=True)
    return tuple(sorted(known.items()))


def _with(tally: Tally | None, second: int, *, new: bool) -> Tally:
    if tally is None:
        return Tally(1, second, second)
    first = min(tally.first or second, second or tally.first)
    return Tally(tally.count + new, first, max(tally.last, second))
