"""C2, offboarded access: it was removed when employment ended."""

from types import MappingProxyType
from typing import Final

from schemas.cloudevents import timestamp
from streams.core.access.checks import evidence
from streams.core.access.checks.check import (
    FAIL,
    PASS,
    AccountCheck,
    AccountInput,
    CheckOutcome,
    Deadline,
    Due,
    Wording,
    account_result,
)
from streams.core.access.checks.matching import active
from streams.core.access.state.fields import value
from streams.core.access.state.rows import CitedFact, StaffRecord
from streams.core.access.state.staff import StaffMember


def _answer(check: AccountCheck, view: AccountInput) -> CheckOutcome:
    member = view.match.member
    assert member is not None
    if active(member, view.at):
        return CheckOutcome(account_result(check, view, PASS, "employed", member.id, due=member.ends))
    ends, ending = member.ends, member.ending
    assert ends is not None
    assert ending is not None
    result = account_result(
        check, view, FAIL, "employment_ended", member.id,
        since=max(ends, view.presence.time),
        candidates=view.match.candidates,
        parameters={"employment_ended": timestamp(ends), "ended": _given_end(ending, ends)},
    )  # fmt: skip
    return CheckOutcome(result, (evidence.presence(view), CitedFact(ending.ending, evidence.excerpt(ending))))


def _given_end(record: StaffRecord, ends: int) -> str:
    """Return the end of employment as its source gave it, where it gave a date."""
    given = value(record.fields, "ends")
    return str(given["given"]) if given is not None else timestamp(ends)


def _end_of_employment(member: StaffMember) -> Due | None:
    if member.ends is None or member.ending is None:
        return None
    return Due(member.ends, member.ending.ending.fact)


OFFBOARDED: Final = AccountCheck(
    id="C2",
    uid="IC-2",
    name="offboarded-access",
    title="Access should be removed for offboarded user",
    control="Access removal on termination",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"),
    severity=4,
    answer=_answer,
    needs_person=True,
    backdated=True,
    closes_as="not_applicable",  # it passes again only where no end of employment is asserted any more
    deadline=Deadline("employment.ended", _end_of_employment),
    wording=MappingProxyType({
        "employment_ended": Wording(
            "{who} left ({ended}) and is still an active Intercom teammate of {app_id}",
            "Employment ended at {employment_ended}; the account is still active.",
        ),
        "employed": Wording("{who} is employed", "No source says that employment has ended."),
    }),
    remedy="Remove the teammate in Intercom: Settings, Workspace, Teammates; reassign open conversations first.",
)  # fmt: skip
