"""Facts in the order of the log, each with the log time at its position, and which of them have an effect.

A fact is a plain dict, as in cases.json; an entry of a history is {"log_time": ms, "fact": {...}, "offset": optional}. All times
are milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec

from schemas.access.facts import Fact
from tests.support.access_oracle.interpretation import Interpretation

FactDict = dict[str, Any]
Entry = dict[str, Any]
Key = tuple[str, str]  # (source, record) of a staff record, or (app_id, account) of an account

SEEN_KINDS: Final = ("admin.seen", "admin.logged_in", "admin.logged_out")
TEAMMATE_KINDS: Final = ("admin.added", "admin.removed", *SEEN_KINDS)
NO_PROOF: Final = ("admin_login_failure", "admin_unauthorized_sign_in_method", "admin_password_reset_request")

# A fact without its required parts has no effect [N27].
REQUIRED_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "admin.added": ("app_id", "account", "time"), "admin.removed": ("app_id", "account", "time"),
    "admin.seen": ("app_id", "account", "time"), "admin.logged_in": ("app_id", "account", "time"),
    "admin.logged_out": ("app_id", "account", "time"), "admin.activity": ("app_id", "activity", "time"),
    "staff.record": ("record", "time"), "staff.snapshot.started": ("snapshot",), "staff.snapshot.row": ("snapshot", "record"),
    "staff.snapshot.ended": ("snapshot",), "admins.snapshot.started": ("app_id", "snapshot"),
    "admins.snapshot.row": ("app_id", "account", "snapshot"), "admins.snapshot.ended": ("app_id", "snapshot"),
    "account.linked": ("app_id", "account", "staff"), "account.unlinked": ("app_id", "account"),
    "account.classified": ("app_id", "account", "classification"), "account.unclassified": ("app_id", "account"),
    "role.desired": ("app_id", "account", "role"), "policy.applied": ("policy",), "workspace.monitored": ("app_id",), "workspace.unmonitored": ("app_id",),
    "settings.applied": ("settings",), "clock.ticked": (),
    "exemption.granted": ("app_id", "grant"), "exemption.revoked": ("grant",),
    "approval.granted": ("grant",), "approval.revoked": ("grant",), "staff.decided": ("staff", "choice"),
    "finding.handled": ("case",), "calendar.set": ("calendar",), "monitoring.started": (),
}  # fmt: skip


@dataclass(frozen=True, eq=False)  # a fact in a log is itself and no other: comparing and hashing look at no content
class LoggedFact:
    """A fact at its position in the log, with the log time there."""

    position: int
    log_time: int
    fact: FactDict

    @cached_property
    def kind(self) -> str:
        """The kind; an event of the activity log that shows its actor's presence counts as seen [N26]."""
        kind = str(self.fact["kind"])
        shown = kind == "admin.activity" and self.fact.get("account") is not None
        return "admin.seen" if shown and self.fact["activity"]["type"] not in NO_PROOF else kind


def date_of(logged: LoggedFact) -> int:
    """Return the fact's time. The design: "a null time means log time"."""
    time: int | None = logged.fact.get("time")
    return logged.log_time if time is None else time


def record_key(fact: FactDict) -> Key:
    """Return the source and the id of the staff record that the fact is about."""
    return fact["record"]["source"], fact["record"]["record"]


def read_log(history: Sequence[Entry]) -> list[LoggedFact]:
    """Return the facts with their log times. The design: "log time is the running maximum"."""
    log: list[LoggedFact] = []
    log_time = 0
    for position, entry in enumerate(history):
        log_time = max(log_time, entry["log_time"])
        log.append(LoggedFact(position, log_time, entry["fact"]))
    return log


def effective(log: Sequence[LoggedFact], interpretation: Interpretation) -> list[LoggedFact]:
    """Return the facts that this release uses and that have their required parts; the others only advance log time."""
    required = dict(REQUIRED_PARTS)
    if not interpretation.unmonitoring:
        required.pop("workspace.unmonitored", None)
    return [f for f in log if f.kind in required and all(f.fact.get(part) is not None for part in required[f.kind])]


def entries_of(facts: Sequence[Fact], log_times: Sequence[int]) -> list[Entry]:
    """Return the history of these structs, each appended to the log at the time of the same position."""
    pairs = zip(facts, log_times, strict=True)
    return [{"log_time": log_time, "fact": msgspec.to_builtins(fact)} for fact, log_time in pairs]


def facts_of(history: Sequence[Entry]) -> list[Fact]:
    """Return the facts of a history as structs."""
    return [msgspec.convert(entry["fact"], Fact) for entry in history]
