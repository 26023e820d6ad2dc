"""All that the table holds of one tenant: one typed collection per kind of row."""

from collections.abc import Iterable, Iterator
from typing import Final

from streams.core.access.state.backlog_rows import BacklogRows
from streams.core.access.state.read_settings import ReadSettings
from streams.core.access.state.row_kinds.activity_rows import ActivityRow, ChangesRow, InviteRow
from streams.core.access.state.row_kinds.grant_rows import ApprovalId, ApprovalRow, ExemptionRow, GrantId
from streams.core.access.state.row_kinds.rules_rows import ALL, FIRST_RULES, WITH_BEGINNINGS, RulesVersionRow, follows
from streams.core.access.state.row_kinds.staff_rows import AnyRecord, RecordForm
from streams.core.access.state.rows import (
    AccountRow,
    AlarmTestRow,
    CalendarRow,
    CheckRow,
    CoverageRow,
    HolderIndex,
    MonitoringRow,
    PolicyRow,
    RecordId,
    SettingsRow,
    SilenceRow,
    SourceChoice,
    SourceRow,
    SourceSigns,
    TeammatesRow,
    TenantLog,
    WorkspaceRow,
)
from streams.core.access.state.table import AccessTable, RowCollection, SingleRow
from streams.core.access.state.timers import Timers
from streams.core.access.state.values import AccountKey, FactReference, TeammateSnapshot

_NO_HOLDERS: Final = HolderIndex()


class HolderIndexes(RowCollection[HolderIndex]):
    """Who holds an address, a number or a link. An index without holders is no row."""

    def holders(self, name: str) -> HolderIndex:
        return self.get(name) or _NO_HOLDERS

    def put(self, row: HolderIndex, *key: str) -> None:
        if row.records or row.accounts or row.former:
            super().put(row, *key)
        else:
            self.delete(*key)


class TenantState:
    """One tenant's rows about what is known, what was answered, and what is under way."""

    def __init__(self, table: AccessTable, tenant: str) -> None:
        self.tenant = tenant
        self._log = SingleRow(table, tenant, "", TenantLog)
        self.policy = SingleRow(table, tenant, "policy", PolicyRow)
        self.settings = SingleRow(table, tenant, "settings", SettingsRow)
        self.rules = SingleRow(table, tenant, "rules", RulesVersionRow)
        self.calendars = RowCollection(table, tenant, "calendar", CalendarRow)  # by id
        self.workspaces = RowCollection(table, tenant, "workspace", WorkspaceRow)  # by app id
        self.accounts = RowCollection(table, tenant, "account", AccountRow)  # by app id and account
        self.records = RowCollection[AnyRecord](table, tenant, "record", RecordForm)  # type: ignore[arg-type]  # the base of both forms; by source and record
        self.record_ids = RowCollection(table, tenant, "record_id", RecordId)  # by the id a record gives a person
        self.sources = RowCollection(table, tenant, "source", SourceRow)  # by source
        self.teammates = RowCollection(table, tenant, "teammates", TeammatesRow)  # by app id
        self.signs = RowCollection(table, tenant, "signs", SourceSigns)  # by source
        self.addresses = HolderIndexes(
            table, tenant, "address", HolderIndex
        )  # by normal address, also a former one; accounts by it without tag too
        self.employee_numbers = HolderIndexes(
            table, tenant, "employee", HolderIndex
        )  # by employee number, by later rules also a former one
        self.links = HolderIndexes(
            table, tenant, "link", HolderIndex
        )  # by the person's id that a decision about an account names
        self.coverage = RowCollection(table, tenant, "coverage", CoverageRow)  # by kind (workspace, source) and name
        self.monitoring = SingleRow(table, tenant, "monitoring", MonitoringRow)
        self.alarm_tests = RowCollection(table, tenant, "alarm_test", AlarmTestRow)  # by app id
        self.silences = RowCollection(table, tenant, "silence", SilenceRow)  # by app id
        self.exemptions = RowCollection(table, tenant, "exemption", ExemptionRow)  # by app id, account, granting fact
        self.approvals = RowCollection(table, tenant, "approval", ApprovalRow)  # by account or person, workspace, granting fact
        self.approval_ids = RowCollection(table, tenant, "approval_id", ApprovalId)  # by the grant's id
        self.exemption_ids = RowCollection(table, tenant, "exemption_id", GrantId)  # by the grant's id
        self.choices = RowCollection(table, tenant, "choice", SourceChoice)  # by the person's id that a decision names
        self.activities = RowCollection(table, tenant, "activity", ActivityRow)  # by app id and account, or app id and nothing
        self.changes = RowCollection(table, tenant, "changes", ChangesRow)  # by app id
        self.invites = RowCollection(
            table, tenant, "invite", InviteRow
        )  # by app id and normal address, or the fact that names none
        self.checks = RowCollection(table, tenant, "check", CheckRow)  # by app id, account and check
        self.timers = Timers(table, tenant)
        self.backlog = BacklogRows(table, tenant)
        self._read_settings: ReadSettings | None = None

    @property
    def log(self) -> TenantLog:
        return self._log.get() or TenantLog()

    @log.setter
    def log(self, row: TenantLog) -> None:
        self._log.put(row)

    @property
    def rules_version(self) -> str:
        """The version of the rules that answers follow: a log whose facts only the first rules read gives the same answers in every release."""
        row = self.rules.get()
        return row.version if row else FIRST_RULES

    def follow_rules(self, version: str, source: FactReference) -> None:
        """Follow these rules from now on, unless later ones are in force already."""
        if ALL.index(version) > ALL.index(self.rules_version):
            self.rules.put(RulesVersionRow(version, source))

    @property
    def read_settings(self) -> ReadSettings:
        """The settings in force, parsed again only where they have changed."""
        row = self.settings.get()
        if self._read_settings is None or self._read_settings.row is not row:
            self._read_settings = ReadSettings(row)
        return self._read_settings

    def snapshots_of(self, app_id: str) -> tuple[TeammateSnapshot, ...]:
        """Return the remembered snapshots of a workspace's teammates, in order of their requests."""
        row = self.teammates.get(app_id)
        return row.snapshots if row else ()

    def silent_since(self, app_id: str) -> int | None:
        """Return since when webhooks of a workspace are missing (ms); None while they come."""
        row = self.silences.get(app_id)
        return row.since if row else None

    def choice_of(self, people: Iterable[str]) -> SourceChoice | None:
        """Return the latest decision which source is right about a person, who is known by these ids."""
        made = [row for id_ in people if (row := self.choices.get(id_)) is not None and row.choice is not None]
        return max(made, key=lambda row: row.source.offset, default=None)

    def undecided_since(self, people: Iterable[str]) -> int | None:
        """Return the date at which the last decision which source is right was taken back (ms); None where one stands that is later."""
        if not follows(self.rules_version, WITH_BEGINNINGS):
            return None
        rows = [row for id_ in people if (row := self.choices.get(id_)) is not None]
        last = max(rows, key=lambda row: row.source.offset, default=None)
        return last.since if last is not None and last.choice is None else None

    def account_keys(self, after: AccountKey = ("", "")) -> Iterator[AccountKey]:
        """Yield the keys of all accounts of monitored workspaces beyond that one, in order."""
        for app_id, _ in list(self.workspaces.walk()):
            if app_id >= after[0]:
                for account, _ in self.accounts.walk(app_id, after=after[1] if app_id == after[0] else ""):
                    yield app_id, account

    def check_rows(self, app_id: str, account: str) -> dict[str, CheckRow]:
        """Return all results and findings about an account (or, with no account, about the workspace) by check."""
        return dict(self.checks.walk(app_id, account))
