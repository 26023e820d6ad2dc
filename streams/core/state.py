"""All that the table holds of one tenant, by name: which row lies under which item, and nothing more."""

from collections.abc import Iterator
from typing import Final, Protocol, TypeVar

from schemas.errors import MustStop
from streams.core.rows import (
    Account,
    Address,
    AnyRow,
    Due,
    Log,
    Person,
    PolicyRow,
    Record,
    SettingsRow,
    StagedRow,
    Staging,
    Subject,
    Waiting,
    Workspace,
)

TIMERS: Final = "@due"  # the group that lists the timers of all tenants of a partition; no tenant's id begins with @

R = TypeVar("R")


class Rows(Protocol):
    """What is needed of a table; `streams.engine.agent.Table` satisfies it."""

    def get(self, group: str, item: str = "") -> AnyRow | None: ...
    def put(self, group: str, item: str, value: AnyRow) -> None: ...
    def delete(self, group: str, item: str = "") -> None: ...
    def walk(self, group: str, after: str = "") -> Iterator[tuple[str, AnyRow]]: ...


class State:
    """One tenant's rows."""

    def __init__(self, rows: Rows, tenant: str) -> None:
        self._rows = rows
        self.tenant = tenant

    def log(self) -> Log:
        return self._get("", Log) or Log()

    def account(self, key: tuple[str, str]) -> Account | None:
        return self._get(_account(key), Account)

    def accounts(self, app_id: str) -> list[tuple[str, str]]:
        """Return the keys of all accounts of a workspace."""
        return [(app_id, item.rpartition("|")[2]) for item, _ in self._walk(f"account|{app_id}|", Account)]

    def record(self, key: tuple[str, str]) -> Record | None:
        return self._get(_record(key), Record)

    def records(self, source: str) -> list[Record]:
        return [row for _, row in self._walk(f"record|{source}|", Record)]

    def person(self, person: str) -> Person | None:
        return self._get(f"person|{person}", Person)

    def address(self, address: str) -> Address:
        return self._get(f"address|{address}", Address) or Address()

    def employee(self, number: str) -> Address:
        """Return who is known by an employee number; the row has the form of an address's."""
        return self._get(f"employee|{number}", Address) or Address()

    def workspace(self, app_id: str) -> Workspace | None:
        return self._get(f"workspace|{app_id}", Workspace)

    def workspaces(self) -> list[Workspace]:
        return [row for _, row in self._walk("workspace|", Workspace)]

    def policy(self) -> PolicyRow | None:
        return self._get("policy", PolicyRow)

    def settings(self) -> SettingsRow | None:
        return self._get("settings", SettingsRow)

    def subjects(self, app_id: str, account: str) -> dict[tuple[str, str], Subject]:
        """Return all answers and findings about an account (or, with no account, about the workspace) by check and staff member."""
        found = {}
        for item, row in self._walk(f"subject|{app_id}|{account}|", Subject):
            check, _, staff = item.removeprefix(f"subject|{app_id}|{account}|").partition("|")
            found[check, staff] = row
        return found

    def timers(self) -> Iterator[tuple[int, Due]]:
        """Yield the tenant's timers, the earliest first, ties by person."""
        for item, row in self._walk("due|", Due):
            yield int(item.split("|")[1]), row

    def staging(self, source: str) -> Staging | None:
        return self._get(f"staging|{source}", Staging)

    def staged(self, snapshot: str) -> list[StagedRow]:
        return [row for _, row in self._walk(f"staged|{snapshot}|", StagedRow)]

    def put_log(self, row: Log) -> None:
        self._rows.put(self.tenant, "", row)

    def put_account(self, row: Account) -> None:
        self._rows.put(self.tenant, _account((row.app_id, row.id)), row)

    def put_record(self, row: Record) -> None:
        self._rows.put(self.tenant, _record((row.source, row.id)), row)

    def put_person(self, row: Person) -> None:
        self._rows.put(self.tenant, f"person|{row.id}", row)

    def put_address(self, address: str, row: Address) -> None:
        self._put_holders(f"address|{address}", row)

    def put_employee(self, number: str, row: Address) -> None:
        self._put_holders(f"employee|{number}", row)

    def put_workspace(self, row: Workspace) -> None:
        self._rows.put(self.tenant, f"workspace|{row.app_id}", row)

    def put_policy(self, row: PolicyRow) -> None:
        self._rows.put(self.tenant, "policy", row)

    def put_settings(self, row: SettingsRow) -> None:
        self._rows.put(self.tenant, "settings", row)

    def put_subject(self, app_id: str, account: str, name: tuple[str, str], row: Subject | None) -> None:
        """Set a subject's row, or forget it."""
        item = f"subject|{app_id}|{account}|{name[0]}|{name[1]}"
        if row is None:
            self._rows.delete(self.tenant, item)
        else:
            self._rows.put(self.tenant, item, row)

    def arm(self, at: int, due: Due) -> None:
        """Set a timer."""
        self._rows.put(self.tenant, f"due|{at:015d}|{due.person}", due)
        self._rows.put(TIMERS, f"{at:015d}|{self.tenant}|{due.person}", Waiting(self.tenant, due.person))

    def disarm(self, at: int, person: str) -> None:
        """Forget a timer."""
        self._rows.delete(self.tenant, f"due|{at:015d}|{person}")
        self._rows.delete(TIMERS, f"{at:015d}|{self.tenant}|{person}")

    def put_staging(self, row: Staging) -> None:
        self._rows.put(self.tenant, f"staging|{row.source}", row)

    def put_staged(self, snapshot: str, fact: str, row: StagedRow) -> None:
        self._rows.put(self.tenant, f"staged|{snapshot}|{fact}", row)

    def drop_staging(self, staging: Staging) -> None:
        """Forget a listing and its rows."""
        for item, _ in list(self._walk(f"staged|{staging.id}|", StagedRow)):
            self._rows.delete(self.tenant, item)
        self._rows.delete(self.tenant, f"staging|{staging.source}")

    def _put_holders(self, item: str, row: Address) -> None:
        if row.people or row.accounts:
            self._rows.put(self.tenant, item, row)
        else:
            self._rows.delete(self.tenant, item)

    def _get(self, item: str, kind: type[R]) -> R | None:
        row = self._rows.get(self.tenant, item)
        if row is not None and not isinstance(row, kind):
            raise MustStop(
                f"the access table holds a {type(row).__name__} where a {kind.__name__} belongs: it is damaged; rebuild it"
            )
        return row

    def _walk(self, prefix: str, kind: type[R]) -> Iterator[tuple[str, R]]:
        for item, row in self._rows.walk(self.tenant, prefix):
            if not item.startswith(prefix):
                return
            if isinstance(row, kind):
                yield item, row


def earliest_timer(rows: Rows) -> tuple[int, str] | None:
    """Return the instant and the tenant of the earliest timer of a partition, or None."""
    for item, row in rows.walk(TIMERS):
        if isinstance(row, Waiting):
            return int(item.partition("|")[0]), row.tenant
    return None


def _account(key: tuple[str, str]) -> str:
    return f"account|{key[0]}|{key[1]}"


def _record(key: tuple[str, str]) -> str:
    return f"record|{key[0]}|{key[1]}"
