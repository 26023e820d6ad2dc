"""The event of a finding as types: the parts of OCSF Compliance Finding (class 2003) that a subscriber acts on; the rest is in `raw`.

A field that a newer release adds is ignored, and one that an older release lacks has a default.
"""

from enum import IntEnum

import msgspec


class Activity(IntEnum):
    """What an event says has happened to a finding."""

    CREATE = 1
    UPDATE = 2
    CLOSE = 3


FAIL = 3
"""`compliance.status_id` of a failing check. 2 is a warning: not known, or not due yet."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """`uid` is the event's id, `sequence` its number within the finding."""

    uid: str
    sequence: int
    tenant_uid: str
    version: str = ""


class FindingInfo(msgspec.Struct, frozen=True, kw_only=True):
    """`uid` names one episode, `uid_alt` its subject without the episode. Times are milliseconds since 1970."""

    uid: str
    uid_alt: str = ""
    title: str = ""
    desc: str = ""
    created_time: int = 0
    modified_time: int = 0


class Compliance(msgspec.Struct, frozen=True, kw_only=True):
    """The control: `status_id` 1 pass, 2 warning, 3 fail, 99 other."""

    status_id: int
    status: str = ""
    control: str = ""
    status_details: tuple[str, ...] = ()


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What OCSF has no field for. `result` is PASS, FAIL, DUE, UNKNOWN or EXEMPT, None once the check no longer applies."""

    check: str
    app_id: str
    account: str | None = None
    staff: str | None = None
    result: str | None = None
    reason: str = ""
    closed_for: str | None = None
    due_time: int | None = None
    sla_state: str | None = None
    baseline: bool = False


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One event: the whole finding as of it. `raw` is the JSON as it was published."""

    activity_id: int
    time: int
    severity_id: int
    message: str
    metadata: Metadata
    finding_info: FindingInfo
    compliance: Compliance
    unmapped: Details
    activity_name: str = ""
    severity: str = ""
    status: str = ""
    raw: bytes = b""

    @property
    def uid(self) -> str:
        return self.finding_info.uid

    @property
    def sequence(self) -> int:
        return self.metadata.sequence

    @property
    def tenant(self) -> str:
        return self.metadata.tenant_uid

    @property
    def workspace(self) -> str:
        return self.unmapped.app_id

    @property
    def is_closed(self) -> bool:
        return self.activity_id == Activity.CLOSE

    @property
    def is_failing(self) -> bool:
        """Return whether somebody should be paged."""
        return self.compliance.status_id == FAIL and not self.is_closed

    def __repr__(self) -> str:
        """Show nothing that names a person."""
        return f"Finding({self.uid!r}, sequence={self.sequence})"
