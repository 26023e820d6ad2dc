"""How rows of the simulated workspace are changed, with the webhooks that follow: what all changes share."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import msgspec

from connectors.simulator.webhooks.items import company_item, contact_item, teammate_item
from connectors.simulator.workspace.activities import SimulatedActivity
from connectors.simulator.workspace.companies import SimulatedCompany
from connectors.simulator.workspace.contacts import SimulatedContact
from connectors.simulator.workspace.identifiers import mixed
from connectors.simulator.workspace.lazy_rows import LazyRows, Row
from connectors.simulator.workspace.teammates import BOT_ID, FIRST_ID, rest_teammate
from connectors.simulator.workspace.workspace import SimulatedWorkspace

Emit = Callable[[str, str, dict[str, Any]], None]
"""Takes a webhook: its topic, the id of the object that it is about, and its item."""


class WorkspaceWrites:
    """Puts rows and emits webhooks. `made` numbers the changes; the number chooses what a change is about."""

    def __init__(self, workspace: SimulatedWorkspace, now_ms: Callable[[], int], emit: Emit) -> None:
        self.workspace, self.now_ms, self.emit = workspace, now_ms, emit
        self.made = 0
        self.hired = workspace.spec.teammates

    def saved(self, row: SimulatedContact, verb: str) -> str:
        self.workspace.put_contact(row, self.now_ms())
        return self.emitted(f"contact.{row.role}.{verb}", row)

    def kept(self, row: SimulatedContact) -> SimulatedContact:
        changed = msgspec.structs.replace(row, updated_ms=self.after(row.updated_ms))
        self.workspace.put_contact(changed, self.now_ms())
        return changed

    def emitted(self, topic: str, row: SimulatedContact) -> str:
        identifier = self.workspace.contact_ids.of(row.number)
        self.emit(topic, identifier, contact_item(self.workspace.contact(row), row.updated_ms))
        return identifier

    def ended(self, state: str, topic: str, mark: str) -> str:
        row = self.any(self.workspace.contacts)
        if row is None:
            return ""
        self.kept(msgspec.structs.replace(row, state=state))
        identifier = self.workspace.contact_ids.of(row.number)
        self.emit(topic, identifier, {"id": identifier, "external_id": row.external_id, "type": "contact", mark: True})
        return identifier

    def membership(self, topic: str, number: int, row: SimulatedContact, shown: SimulatedContact) -> str:
        company = self.workspace.companies.get(number)
        if company is None:
            return ""
        item = {
            "company": company_item(self.workspace.company(company), company.updated_ms),
            "contact": contact_item(self.workspace.contact(shown), row.updated_ms),
        }
        identifier = self.workspace.contact_ids.of(row.number)
        self.emit(topic, identifier, item)
        return identifier

    def company_saved(self, row: SimulatedCompany, verb: str) -> str:
        self.workspace.companies.put(row, self.now_ms())
        identifier = self.workspace.company_ids.of(row.number)
        self.emit(f"company.{verb}", identifier, company_item(self.workspace.company(row), row.updated_ms))
        return identifier

    def teammate(self, topic: str, number: int, activity: str) -> str:
        teammate = self.workspace.teammates[number]
        self.emit(topic, str(number), teammate_item(rest_teammate(teammate, with_role=False)))
        self.log(activity, f"{teammate.name}: {activity.replace('_', ' ')}")
        return str(number)

    def log(self, activity_type: str, description: str) -> None:
        rows = self.workspace.activities
        entry = SimulatedActivity(
            number=rows.next_number, actor=FIRST_ID, activity_type=activity_type, description=description, updated_ms=self.now_ms()
        )  # fmt: skip
        rows.put(entry, self.now_ms())
        item = {"type": "admin_activity_log_event", **self.workspace.activity(entry)}
        self.emit("admin.activity_log_event.created", str(item["id"]), item)

    def any(self, rows: LazyRows[Row], purpose: int = 1) -> Row | None:
        """Return a listed row that the number of the change chooses; None if there is none."""
        start = self.chance(purpose) % rows.next_number
        number = next(chain(rows.numbers(start - 1), rows.numbers()), None)
        return None if number is None else rows.get(number)

    def anyone(self) -> int | None:
        """Return a teammate other than the owner and the bot, who stay."""
        others = [number for number in self.workspace.teammates if number not in {BOT_ID, FIRST_ID}]
        return others[self.chance(1) % len(others)] if others else None

    def after(self, updated_ms: int) -> int:
        return max(self.now_ms(), updated_ms + 1)

    def chance(self, purpose: int) -> int:
        return mixed(self.workspace.spec.seed, self.made, 20 + purpose)
