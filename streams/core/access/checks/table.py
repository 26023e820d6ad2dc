"""The checks: what each asks, and its answer for an account or a workspace, from everything that decides it.

C1 is the account identified? C2 was access removed when employment ended? C3 does the workspace have a policy? C4 is the access valid under
it? C2 dominates C4, and C4 cannot be answered while C1 or C3 fail.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from schemas.cloudevents import timestamp
from streams.core.access.checks.matching import Match, active
from streams.core.access.checks.policy import rule_for, verdict
from streams.core.access.state import addresses
from streams.core.access.state.fields import value
from streams.core.access.state.rows import AccountRow, CheckResult, CitedFact, PolicyRow, PresenceEvent, StaffRecord, WorkspaceRow
from streams.core.access.state.staff import StaffMember

PASS: Final = "PASS"  # noqa: S105 - an answer, no password
FAIL: Final = "FAIL"
UNKNOWN: Final = "UNKNOWN"
RULES: Final = "1"  # version of the rules in this file

LOW, MEDIUM, HIGH = 1, 2, 3  # OCSF confidence_id
_INFORMATIONAL: Final = 1  # OCSF severity_id of what is not known
_SEVERE: Final = 4  # ... of access that lets its holder give access to others
_POWERFUL: Final = ("admin", "owner")  # words in names of such Intercom roles


class CheckDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """What a check is called, on the wire and by the frameworks it serves; `severity` is OCSF's severity_id of a failure."""

    uid: str
    name: str
    title: str
    control: str
    standards: tuple[str, ...]
    severity: int
    backdated: bool = False  # its condition is true since a date that the sources name, however late they do


CHECKS: Final = MappingProxyType({
    "C1": CheckDefinition(
        uid="IC-1", name="identified-account", title="User should be identified", control="Identification of access holders",
        standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.16"), severity=3,
    ),
    "C2": CheckDefinition(
        uid="IC-2", name="offboarded-access", title="Access should be removed for offboarded user",
        control="Access removal on termination", standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"), severity=4, backdated=True,
    ),
    "C3": CheckDefinition(
        uid="IC-3", name="configured-access-control", title="Critical system access control should be configured",
        control="Access policy of critical systems", standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.15"), severity=3,
    ),
    "C4": CheckDefinition(
        uid="IC-4", name="valid-access", title="User access to critical system should be valid",
        control="Access according to role", standards=("SOC 2 TSC CC6.3", "ISO/IEC 27001:2022 A.5.18"), severity=3,
    ),
})  # fmt: skip


class CheckOutcome(NamedTuple):
    """An answer with the facts it rests on."""

    result: CheckResult
    evidence: tuple[CitedFact, ...] = ()


CheckOutcomes = dict[tuple[str, str], CheckOutcome]  # by check and staff member


class CheckInput(NamedTuple):
    """Everything that decides the answers about one account at an instant."""

    account: AccountRow
    presence: PresenceEvent  # what began its presence
    match: Match
    policy: PolicyRow | None
    staff_known: bool  # whether any staff was ever loaded
    at: int


def of_workspace(workspace: WorkspaceRow, policy: PolicyRow | None) -> CheckOutcomes:
    """Answer C3."""
    exhibits = [CitedFact(workspace.source)]
    since = workspace.source.time or 0
    rule = rule_for(policy.policy if policy else None, workspace.app_id)
    if policy is not None:
        exhibits.append(CitedFact(policy.source))
    answer = CheckResult(
        check="C3",
        result=PASS if rule else FAIL,
        reason="configured" if rule else "no_policy",
        since=since,
        severity=CHECKS["C3"].severity if rule is None else _INFORMATIONAL,
        parameters={"validity": rule.validity} if rule else {},
        policy=policy.source.fact if policy else None,
    )
    return {("C3", ""): CheckOutcome(answer, tuple(exhibits))}


def of_account(view: CheckInput, pending: Iterable[tuple[str, str]]) -> CheckOutcomes:
    """Answer C1, C2 and C4. `pending` names findings that are open: where they cannot be answered now, they are UNKNOWN, never closed."""
    if view.account.classification and view.account.classification.value and view.match.by != "link":
        return {("C1", ""): _classified(view)}
    if view.match.member is None:
        return {("C1", ""): _unidentified(view), **_unanswerable(view, pending, "account_not_identified")}
    member = view.match.member
    found = {("C1", ""): _identified(view, member), ("C2", member.id): _offboarded(view, member)}
    if active(member, view.at):
        found["C4", member.id] = _valid(view, member)
    return found


def contradicted(view: CheckInput, pending: Iterable[tuple[str, str]]) -> CheckOutcomes:
    """Answer for an account that was added and removed in the same second: nothing can be said until it is read again."""
    return {("C1", ""): _unknown(view, "C1", "", "presence_unsettled"), **_unanswerable(view, pending, "presence_unsettled")}


def _classified(view: CheckInput) -> CheckOutcome:
    decision = view.account.classification
    assert decision is not None
    exhibits = (CitedFact(view.presence.source), CitedFact(decision.source, {"classification": decision.value or ""}))
    return CheckOutcome(_answer(view, "C1", PASS, "classified", parameters={"classification": decision.value or ""}), exhibits)


def _unidentified(view: CheckInput) -> CheckOutcome:
    ambiguous = view.match.by == "ambiguous"
    hinted = bool(view.match.candidates) and not ambiguous
    answer = _answer(
        view, "C1", FAIL, "ambiguous" if ambiguous else "not_identified",
        confidence=LOW if hinted or not view.staff_known else HIGH,
        candidates=tuple(member.id for member in view.match.candidates),
        parameters={"address_rule": addresses.RULE},
    )  # fmt: skip
    cited = [CitedFact(record.latest, _record_cites(record)) for member in view.match.candidates for record in member.records]
    return CheckOutcome(answer, (CitedFact(view.presence.source), *cited))


def _identified(view: CheckInput, member: StaffMember) -> CheckOutcome:
    parameters = {"matched_by": view.match.by, "address_rule": addresses.RULE}
    candidates = tuple(each.id for each in view.match.candidates)
    answer = _answer(view, "C1", PASS, "identified", parameters=parameters, candidates=candidates)
    return CheckOutcome(answer, (CitedFact(view.presence.source), *_member_exhibits(member)))


def _offboarded(view: CheckInput, member: StaffMember) -> CheckOutcome:
    if active(member, view.at):
        return CheckOutcome(_answer(view, "C2", PASS, "employed", member.id, due=member.ends))
    ending = member.ending
    assert ending is not None
    assert member.ends is not None
    answer = _answer(
        view, "C2", FAIL, "employment_ended", member.id,
        since=max(member.ends, view.presence.time),
        candidates=tuple(each.id for each in view.match.candidates),
        parameters={"employment_ended": timestamp(member.ends), "ended": _day(ending, member.ends)},
    )  # fmt: skip
    return CheckOutcome(answer, (CitedFact(view.presence.source), CitedFact(ending.ending, _record_cites(ending))))


def _valid(view: CheckInput, member: StaffMember) -> CheckOutcome:
    policy = view.policy
    rule = rule_for(policy.policy if policy else None, view.account.app_id)
    if rule is None or policy is None:
        return _unknown(view, "C4", member.id, "no_policy")
    role = value(view.account.fields, "role_name")
    judged = verdict(rule, member.roles, role)
    parameters = {
        "validity": rule.validity,
        "staff_roles": ", ".join(member.roles or ()),
        **({"intercom_role": role} if role else {}),
        **({"valid_roles": ", ".join(rule.roles)} if rule.roles else {}),
    }
    if judged.valid is None:
        return _unknown(view, "C4", member.id, judged.reason, parameters)
    since = max(view.presence.time, policy.source.time or 0)
    severity = _SEVERE if role and any(word in role.casefold() for word in _POWERFUL) else CHECKS["C4"].severity
    answer = _answer(
        view,
        "C4",
        PASS if judged.valid else FAIL,
        judged.reason,
        member.id,
        since=since,
        severity=severity,
        parameters=parameters,
    )
    return CheckOutcome(
        answer, (CitedFact(view.presence.source), *_member_exhibits(member), CitedFact(policy.source, _rule_cites(parameters)))
    )


def _unanswerable(view: CheckInput, pending: Iterable[tuple[str, str]], reason: str) -> CheckOutcomes:
    open_now = [(check, staff) for check, staff in pending if check in ("C2", "C4")]
    return {(check, staff): _unknown(view, check, staff, reason) for check, staff in [("C4", ""), *open_now]}


def _unknown(view: CheckInput, check: str, staff: str, reason: str, parameters: Mapping[str, str] | None = None) -> CheckOutcome:
    return CheckOutcome(_answer(view, check, UNKNOWN, reason, staff, parameters=parameters))


def _answer(
    view: CheckInput, check: str, result: str, reason: str, staff: str = "", *, since: int | None = None, severity: int | None = None,
    confidence: int = HIGH, candidates: tuple[str, ...] = (), parameters: Mapping[str, str] | None = None, due: int | None = None,
) -> CheckResult:  # fmt: skip
    failing = CHECKS[check].severity if severity is None else severity
    return CheckResult(
        check=check,
        staff=staff or None,
        result=result,
        reason=reason,
        since=view.presence.time if since is None else since,
        severity=failing if result == FAIL else _INFORMATIONAL,
        confidence=confidence,
        candidates=candidates,
        parameters=dict(sorted((parameters or {}).items())),
        policy=view.policy.source.fact if view.policy and check == "C4" else None,
        due=due,
    )


def _member_exhibits(member: StaffMember) -> tuple[CitedFact, ...]:
    return tuple(CitedFact(record.latest, _record_cites(record)) for record in member.records)


def _record_cites(record: StaffRecord) -> dict[str, str]:
    """Copy what the answers rest on, personal fields left out."""
    cites = {"source": record.source, "record": record.id}
    ends = value(record.fields, "ends")
    if ends is not None:
        cites |= {
            "ends": timestamp(ends["instant"]),
            "ends_given": ends["given"],
            "ends_zone": ends["zone"],
            "ends_rule": ends["rule"],
        }
    if status := value(record.fields, "status"):
        cites["status"] = status
    if (roles := value(record.fields, "roles")) is not None:
        cites["roles"] = ", ".join(roles)
    return cites


def _day(record: StaffRecord, ends: int) -> str:
    """Return the end of employment as its source gave it, where it gave a date."""
    given = value(record.fields, "ends")
    return str(given["given"]) if given is not None else timestamp(ends)


def _rule_cites(parameters: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in parameters.items() if name in ("validity", "valid_roles")}
