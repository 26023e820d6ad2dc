"""Somebody leaves: grace, an exemption that stops no deadline, its end, and the removal.

Time passes by dates and not by waiting: the employment ended so long ago that its grace is over in a few seconds, and the exemption ends
soon after.
"""

import hashlib
import time
from datetime import UTC, datetime
from typing import Any

from streams.demo.chapters import teammate
from streams.demo.chapters.access import GRACE_HOURS
from streams.demo.context import CLOSED, OPENED, SOON_S, TYPED, VIOLATIONS, StoryContext, is_event
from streams.demo.environment import now_ms
from streams.demo.watch import NotSeen, record_at

_GRACE_MS = GRACE_HOURS * 3_600_000
_APPROVER = "security lead"


async def employment_ends(context: StoryContext) -> None:
    """Import an end of employment whose grace is nearly over: C2 opens as DUE, and its evidence is the post that added the teammate."""
    context.output.start_chapter(f"The teammate's employment ended almost {GRACE_HOURS} hours ago, the account is still there")
    since = time.monotonic()
    due = context.environment.soon()
    row = teammate.staff_row(end=_time(due - _GRACE_MS))
    context.output.show_action(await context.environment.import_staff(row))
    finding = await context.wait_for_finding("C2", OPENED, since, after=TYPED)
    check_is_due(finding, due)
    context.output.show_observation(f"it is DUE until {_time(due)}: the policy's grace is not over")
    await _show_evidence(context, finding)


def check_is_due(finding: dict[str, Any], due: int) -> None:
    """Raise `NotSeen` unless the finding is DUE until then (ms)."""
    result, deadline = finding["unmapped"]["result"], finding["unmapped"].get("due_time")
    if (result, deadline) != ("DUE", due):
        shown = _time(deadline) if deadline else "none"
        raise NotSeen(
            f"The C2 finding opened as {result} (deadline: {shown}); expected DUE until {_time(due)}. "
            "If this machine was too busy to import the file before the deadline, run the demo again."
        )


async def exemption(context: StoryContext) -> None:
    """Exempt the account until soon after the deadline: suppressed until then, and failing from the end of the exemption on."""
    context.output.start_chapter("Somebody accepts that until a date, and the date comes")
    opened = await context.watch.until(VIOLATIONS, is_event("C2", OPENED), "The C2 finding", within_s=SOON_S)
    finding = opened.value
    due = finding["unmapped"]["due_time"]
    until = max(context.environment.soon(), due + 1000)
    since = time.monotonic()
    account = teammate.account(context.environment.scene)
    context.output.show_action(
        await context.environment.exempt("C2", account, approver=_APPROVER, until=_time(until), reason="hands over")
    )
    record = await context.wait_for_update(finding, "The exemption of the C2 finding", result="EXEMPT", status="Suppressed")
    context.record_observation(f"violation C2 is EXEMPT, and suppressed: approved by {_APPROVER}", record, since, after=TYPED)
    await _step_at(
        context, finding, due, "violation C2 has passed its deadline, exempt or not", "the deadline", sla_state="failing"
    )
    await _step_at(
        context, finding, until, "violation C2 is FAIL, and no longer suppressed: the same finding", "the exemption's end",
        result="FAIL", status="New",
    )  # fmt: skip


async def teammate_removed(context: StoryContext) -> None:
    """Remove the teammate: C2 closes."""
    context.output.start_chapter("The teammate is removed from the workspace")
    since = await context.post(teammate.post(context.environment.scene, "removed_from_workspace", at_ms=now_ms()))
    await context.wait_for_finding("C2", CLOSED, since)


async def _step_at(context: StoryContext, finding: dict[str, Any], instant: int, what: str, named: str, **expected: Any) -> None:
    """Wait for an update that an instant (ms) brings by itself, and whose time is exactly that instant."""
    ahead_s = (instant - now_ms()) / 1000
    since = time.monotonic() + ahead_s
    record = await context.wait_for_update(
        finding,
        f"The update of the C2 finding at {_time(instant)}",
        within_s=max(0.0, ahead_s) + SOON_S,
        time=instant,
        **expected,
    )
    context.record_observation(what, record, since, after=f"{named}, {_time(instant)}")


async def _show_evidence(context: StoryContext, finding: dict[str, Any]) -> None:
    """Look the finding's evidence up as any subscriber can: the post, to the byte, and the line of the staff file."""
    evidence = next(each["data"] for each in finding["evidences"] if each["data"].get("topic") == "intercom.admins")
    body = await record_at(context.environment.kafka, evidence["topic"], evidence["partition"], evidence["offset"])
    if hashlib.sha256(body).hexdigest() != evidence["sha256"]:
        raise NotSeen("The record that the evidence points at has another SHA-256 than the evidence says.")
    position = f"{evidence['topic']}, partition {evidence['partition']}, offset {evidence['offset']}"
    context.output.show_observation(f"its evidence is the post that added the account ({position}; bytes and SHA-256 agree)")
    line = next(each["data"] for each in finding["evidences"] if each["data"].get("file") == "staff.csv")
    context.output.show_observation(f"and the staff file's line that ended the employment ({line['file']}, line {line['line']})")


def _time(ms: int) -> str:
    """Write an instant as a user would type it."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
