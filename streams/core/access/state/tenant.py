"""All that the table holds of one tenant, by name: which row lies under which item, and nothing more."""

from collections.abc import Iterator
from typing import Final

from streams.core.access.state.backlog_rows import Pending
from streams.core.access.state.rows import (
    AccountRow,
    CheckRow,
    HolderIndex,
    PersonRow,
    PolicyRow,
    SettingsRow,
    StaffRecord,
    TenantLog,
    Timer,
    TimerIndex,
    WorkspaceRow,
)
from streams.core.access.state.table import Rows, TenantRows

TIMERS: Final = "@due"  # the group that lists the timers of all tenants of a partition; no tenant's id begins with @


class State(TenantRows):
    """One tenant's rows about what is known, and what was answered."""

    def __init__(self, rows: Rows, tenant: str) -> None:
        super().__init__(rows, tenant)
        self.pending = Pending(rows, tenant)

    def log(self) -> TenantLog:
        return self._get("", TenantLog) or TenantLog()

    def account(self, key: tuple[str, str]) -> AccountRow | None:
        return self._get(_account(key), AccountRow)

    def accounts(self, after: tuple[str, str] = ("", "")) -> Iterator[tuple[str, str]]:
        """Yield the keys of all accounts of monitored workspaces beyond that one, in order."""
        for workspace in self.workspaces():
            app_id = workspace.app_id
            if app_id >= after[0]:
                prefix = f"account|{app_id}|"
                for item, _ in self._walk(prefix, AccountRow, after[1] if app_id == after[0] else ""):
                    yield app_id, item.removeprefix(prefix)

    def record(self, key: tuple[str, str]) -> StaffRecord | None:
        return self._get(_record(key), StaffRecord)

    def records(self, source: str, after: str = "") -> Iterator[StaffRecord]:
        """Yield a source's records beyond that one, in order of their ids."""
        return (row for _, row in self._walk(f"record|{source}|", StaffRecord, after))

    def person(self, person: str) -> PersonRow | None:
        return self._get(f"person|{person}", PersonRow)

    def address(self, address: str) -> HolderIndex:
        return self._get(f"address|{address}", HolderIndex) or HolderIndex()

    def employee(self, number: str) -> HolderIndex:
        """Return who is known by an employee number; the row has the form of an address's."""
        return self._get(f"employee|{number}", HolderIndex) or HolderIndex()

    def workspace(self, app_id: str) -> WorkspaceRow | None:
        return self._get(f"workspace|{app_id}", WorkspaceRow)

    def workspaces(self) -> list[WorkspaceRow]:
        return [row for _, row in self._walk("workspace|", WorkspaceRow)]

    def policy(self) -> PolicyRow | None:
        return self._get("policy", PolicyRow)

    def settings(self) -> SettingsRow | None:
        return self._get("settings", SettingsRow)

    def subjects(self, app_id: str, account: str) -> dict[tuple[str, str], CheckRow]:
        """Return all answers and findings about an account (or, with no account, about the workspace) by check and staff member."""
        found = {}
        for item, row in self._walk(f"subject|{app_id}|{account}|", CheckRow):
            check, _, staff = item.removeprefix(f"subject|{app_id}|{account}|").partition("|")
            found[check, staff] = row
        return found

    def timers(self) -> Iterator[tuple[int, Timer]]:
        """Yield the tenant's timers, the earliest first, ties by person."""
        for item, row in self._walk("due|", Timer):
            yield int(item.split("|")[1]), row

    def put_log(self, row: TenantLog) -> None:
        self._put("", row)

    def put_account(self, row: AccountRow) -> None:
        self._put(_account((row.app_id, row.id)), row)

    def put_record(self, row: StaffRecord) -> None:
        self._put(_record((row.source, row.id)), row)

    def put_person(self, row: PersonRow) -> None:
        self._put(f"person|{row.id}", row)

    def put_address(self, address: str, row: HolderIndex) -> None:
        self._put_holders(f"address|{address}", row)

    def put_employee(self, number: str, row: HolderIndex) -> None:
        self._put_holders(f"employee|{number}", row)

    def put_workspace(self, row: WorkspaceRow) -> None:
        self._put(f"workspace|{row.app_id}", row)

    def put_policy(self, row: PolicyRow) -> None:
        self._put("policy", row)

    def put_settings(self, row: SettingsRow) -> None:
        self._put("settings", row)

    def put_subject(self, app_id: str, account: str, name: tuple[str, str], row: CheckRow | None) -> None:
        """Set a subject's row, or forget it."""
        item = f"subject|{app_id}|{account}|{name[0]}|{name[1]}"
        if row is None:
            self._delete(item)
        else:
            self._put(item, row)

    def arm(self, at: int, due: Timer) -> None:
        """Set a timer."""
        self._put(f"due|{at:015d}|{due.person}", due)
        self._rows.put(TIMERS, f"{at:015d}|{self.tenant}|{due.person}", TimerIndex(self.tenant, due.person))

    def disarm(self, at: int, person: str) -> None:
        """Forget a timer."""
        self._delete(f"due|{at:015d}|{person}")
        self._rows.delete(TIMERS, f"{at:015d}|{self.tenant}|{person}")

    def _put_holders(self, item: str, row: HolderIndex) -> None:
        if row.people or row.accounts:
            self._put(item, row)
        else:
            self._delete(item)


def earliest_timer(rows: Rows) -> tuple[int, str] | None:
    """Return the instant and the tenant of the earliest timer of a partition, or None."""
    for item, row in rows.walk(TIMERS):
        if isinstance(row, TimerIndex):
            return int(item.partition("|")[0]), row.tenant
    return None


def _account(key: tuple[str, str]) -> str:
    return f"account|{key[0]}|{key[1]}"


def _record(key: tuple[str, str]) -> str:
    return f"record|{key[0]}|{key[1]}"
