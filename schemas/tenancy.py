"""Apps, workspaces and tenants: apps sign for workspaces, workspaces belong to a tenant (one company, one staff directory)."""

from collections.abc import Iterable, Mapping
from typing import Final, final

import msgspec

from schemas.profiles.identity import DEFAULT_RULES, ORG, PERSON
from schemas.profiles.policy_text import PolicyTables


@final
class Secret:
    """A text that no repr, log or traceback shows; only `reveal()` returns it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for the client that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret('')"


class App(msgspec.Struct, frozen=True, kw_only=True):
    """An Intercom app: its client secrets (two during a rotation) sign for every workspace that installed it."""

    name: str
    client_secrets: tuple[Secret, ...]


DEFAULT_REGION: Final = "us"


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    """One Intercom workspace; `app_id` is Intercom's id, `app` the name of the app that posts for it.

    `api_url` takes the place of the region's host: for a proxy, or for a workspace that is simulated.
    """

    app_id: str
    app: str
    name: str = ""
    region: str = DEFAULT_REGION
    access_token: Secret = Secret("")
    api_url: str = ""


PUSH, INTERVAL, MANUAL = "push", "interval", "manual"  # how a source of staff reports


class StaffSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source of staff records, and the form of its files.

    `absence` is what absence from its complete snapshot means: `withdrawn` or `ended`. `zone` is that of dates without one, `dates`
    their form (`ymd`, `dmy`, `mdy`; empty: as the file's dates show), `ends` what an end date is (`last_day`, `first_day_gone`),
    `columns` texts like `end=Austritt`, `encoding` that of a file that is not UTF-8. `freshness` is how it reports: `push`, `interval`
    (every `interval_hours`; it is stale once three are missed) or `manual`.
    """

    name: str
    absence: str = "withdrawn"
    freshness: str = MANUAL
    interval_hours: int = 24
    zone: str = "UTC"
    dates: str = ""
    ends: str = "last_day"
    columns: tuple[str, ...] = ()
    encoding: str = ""


class ScimSource(msgspec.Struct, frozen=True, kw_only=True):
    """A source of staff that an identity provider writes over SCIM, with its bearer tokens (two during a rotation).

    `inactive` and `deleted` are what `active=false` and a deletion mean: employment has `ended`, or the record is `withdrawn` from this
    source. `roles` is where the roles of staff come from: the attribute `roles`, `department`, or the names of the user's `groups`.
    """

    source: str
    tokens: tuple[Secret, ...]
    inactive: str = "ended"
    deleted: str = "ended"
    roles: str = "roles"


class RecordSource(msgspec.Struct, frozen=True, kw_only=True):
    """Another system that writes records of people and organisations to `person.records` and `org.records` under its name."""

    name: str


class FurtherCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A further access check that is switched on.

    `severity` is that of its failures (`informational` to `critical`; empty: the check's own). `days` is how long an event counts, or how
    long a seat may be unused, `accounts` are those that provision, `methods` the allowed sign-in methods, `heads` how many changes of
    teammates within an hour are a mass change; 0 is the check's own choice.
    """

    severity: str = ""
    days: int = 0
    accounts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    heads: int = 0


class WorkCalendar(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar of working days, by which deadlines in business days count.

    Public holidays are those of a `country` (its ISO code) or of a `subdivision` of it, without `removed_days` and with `extra_days`
    (dates like 2026-12-24); `weekend` has ISO weekdays, 1 is Monday. Days end at midnight of `zone`.
    """

    id: str
    zone: str
    country: str = ""
    subdivision: str = ""
    weekend: tuple[int, ...] = (6, 7)
    extra_days: tuple[str, ...] = ()
    removed_days: tuple[str, ...] = ()


class IdentitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which contacts of a tenant are one person (docs/profiles.md). `blocked` adds to the values that link nobody, `allowed` takes away."""

    keys: tuple[str, ...] = DEFAULT_RULES[PERSON].keys
    mode: str = DEFAULT_RULES[PERSON].mode
    limit: int = DEFAULT_RULES[PERSON].limit
    blocked: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


class OrgIdentitySettings(IdentitySettings, frozen=True, kw_only=True):
    """Which companies of a tenant are one organisation, likewise."""

    keys: tuple[str, ...] = DEFAULT_RULES[ORG].keys


class GuardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How many a complete listing may lack before it waits for a person: `heads` of them, and more than `percent` of all, are too many."""

    heads: int = 10
    percent: int = 20


class ErasureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The secrets by which contacts of a tenant are erased: the first makes marks, the others are those of erasures made before."""

    keys: tuple[Secret, ...] = ()


class ProfileSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The secret by which a tenant's policies keep fields as keyed hashes (docs/profiles.md)."""

    hash_key: Secret = Secret("")


class WebhookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that a tenant's findings are posted to, signed as Standard Webhooks has it (two secrets during a rotation).

    `events` are types of events, all where it is empty. The first delivery begins at `since` (RFC 3339), or with the first finding there is.
    `allow` are private networks that its address may be in, `ca_file` has authorities beside the usual ones. An event that is refused for
    `give_up_hours` becomes a dead letter; an endpoint that accepts nothing for `pause_hours` is paused.
    """

    name: str
    url: Secret
    secrets: tuple[Secret, ...]
    events: tuple[str, ...] = ()
    since: str = ""
    allow: tuple[str, ...] = ()
    ca_file: str = ""
    give_up_hours: int = 24
    pause_hours: int = 72


class EventFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of JSON lines that a tenant's findings are appended to, for forwarders of log files.

    It is renamed at `rotate_mb`, and the newest `keep` renamed ones stay (0: all). `events` and `since` are as of an endpoint.
    """

    path: str
    events: tuple[str, ...] = ()
    since: str = ""
    rotate_mb: int = 100
    keep: int = 10


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One company: its workspaces, its sources of staff in the order in which their descriptive fields count, and its further checks.

    `calendar` is the id of the one of its `calendars` that counts for people who have none.
    """

    id: str
    workspaces: tuple[Workspace, ...] = ()
    staff_sources: tuple[StaffSource, ...] = ()
    checks: Mapping[str, FurtherCheck] = msgspec.field(default_factory=dict)
    calendars: tuple[WorkCalendar, ...] = ()
    calendar: str = ""
    scim: tuple[ScimSource, ...] = ()
    identity: IdentitySettings = IdentitySettings()
    org_identity: OrgIdentitySettings = OrgIdentitySettings()
    sources: tuple[RecordSource, ...] = ()
    erasure: ErasureSettings = ErasureSettings()
    profiles: ProfileSettings = ProfileSettings()
    guard: GuardSettings = GuardSettings()
    policies: PolicyTables = PolicyTables()
    webhooks: tuple[WebhookEndpoint, ...] = ()
    event_files: tuple[EventFile, ...] = ()


class Tenancy(msgspec.Struct, frozen=True):
    """All apps and tenants of one installation, indexed."""

    apps: Mapping[str, App]
    tenants: Mapping[str, Tenant]
    workspaces: Mapping[str, Workspace]
    owners: Mapping[str, str]  # app_id → tenant id
    sources: Mapping[str, str]  # name of another system → tenant id

    @classmethod
    def of(cls, apps: Iterable[App], tenants: Iterable[Tenant]) -> "Tenancy":
        """Index apps by name and workspaces by app_id."""
        companies = {tenant.id: tenant for tenant in tenants}
        pairs = [(workspace, tenant.id) for tenant in companies.values() for workspace in tenant.workspaces]
        return cls(
            apps={app.name: app for app in apps},
            tenants=companies,
            workspaces={workspace.app_id: workspace for workspace, _ in pairs},
            owners={workspace.app_id: tenant for workspace, tenant in pairs},
            sources={source.name: tenant.id for tenant in companies.values() for source in tenant.sources},
        )

    def delivers(self) -> bool:
        """Return whether findings are to be posted to an endpoint, or appended to a file."""
        return any(tenant.webhooks or tenant.event_files for tenant in self.tenants.values())

    def tenant_of(self, record: str) -> str | None:
        """Return the tenant of a record `app_id:id` or `source:id`; None where nobody has its workspace or source."""
        source = record.partition(":")[0]
        return self.owners.get(source) or self.sources.get(source)
