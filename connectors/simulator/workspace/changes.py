"""What can happen in the simulated workspace at run time: the table, and how often each change is chosen."""

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Final

from connectors.simulator.workspace import contact_changes, other_changes
from connectors.simulator.workspace.workspace import SimulatedWorkspace
from connectors.simulator.workspace.writes import Emit, WorkspaceWrites

CHANGES: Final[Mapping[str, Callable[[WorkspaceWrites], str]]] = {
    "contact.update": contact_changes.update_contact,
    "contact.create": contact_changes.create_contact,
    "contact.attach": contact_changes.attach,
    "contact.detach": contact_changes.detach,
    "contact.archive": contact_changes.archive,
    "contact.unarchive": contact_changes.unarchive,
    "contact.delete": contact_changes.delete_contact,
    "contact.merge": contact_changes.merge,
    "company.update": other_changes.update_company,
    "company.create": other_changes.create_company,
    "company.delete": other_changes.delete_company,
    "conversation.reply": other_changes.reply,
    "conversation.delete": other_changes.delete_conversation,
    "ticket.state": other_changes.move_ticket,
    "teammate.add": other_changes.add_teammate,
    "teammate.remove": other_changes.remove_teammate,
    "teammate.role": other_changes.change_role,
}
"""Each change by its kind. It returns the id of what changed, "" if there was nothing to change."""
_WEIGHTS: Final = {"contact.update": 50, "contact.create": 12, "conversation.reply": 12, "contact.attach": 5, "company.update": 5}
_USUAL: Final = tuple(chain.from_iterable([kind] * _WEIGHTS.get(kind, 1) for kind in CHANGES))


class WorkspaceChanges:
    """Makes changes. The number of a change chooses what it is about: the same steps, the same workspace."""

    def __init__(self, workspace: SimulatedWorkspace, now_ms: Callable[[], int], emit: Emit) -> None:
        self._writes = WorkspaceWrites(workspace, now_ms, emit)

    def make(self, kind: str | None = None) -> tuple[str, str]:
        """Make one change, of this kind or of one that is usual; return its kind, and the id of what changed."""
        self._writes.made += 1
        chosen = kind or _USUAL[self._writes.chance(0) % len(_USUAL)]
        return chosen, CHANGES[chosen](self._writes)
