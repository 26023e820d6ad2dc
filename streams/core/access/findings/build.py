"""An event of a finding as it goes out: whole, in the terms of OCSF, with everything personal in one part."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.access.facts import TOPIC, Evidence
from schemas.access.findings import (
    AccountData,
    Analytic,
    CandidateData,
    Compliance,
    ComplianceCheck,
    Finding,
    FindingEvidence,
    FindingInfo,
    FindingPersonalData,
    Metadata,
    Parameter,
    Remediation,
    Resource,
    Unmapped,
)
from schemas.cloudevents import timestamp
from schemas.ids import derived
from streams.core.access.checks.table import CHECKS, RULES
from streams.core.access.findings import wording
from streams.core.access.findings.episodes import CLOSE, CREATE, EpisodeEvent, FindingKey
from streams.core.access.state.fields import value
from streams.core.access.state.rows import AccountRow, CitedFact
from streams.core.access.state.staff import StaffMember

_STATUS: Final = MappingProxyType({"PASS": 1, "UNKNOWN": 2, "DUE": 2, "FAIL": 3, "EXEMPT": 99, None: 99})  # compliance.status_id
_NEW, _RESOLVED = 1, 4  # status_id of a finding
_CLASS: Final = 2003


class FindingSubjects(NamedTuple):
    """Who an event is about: the account, the staff member it belongs to, and those it might belong to."""

    account: AccountRow | None
    owner: StaffMember | None
    candidates: tuple[StaffMember, ...] = ()

    def context(self) -> object:
        """Return what a reader would call a change of the finding, beyond its answer."""
        account = self.account
        fields = ("name", "address", "role_id", "role_name", "has_inbox_seat")
        return [
            None if account is None else [value(account.fields, field) for field in fields],
            None if self.owner is None else [self.owner.name, list(self.owner.given)],
        ]


def ce_id(event: EpisodeEvent) -> str:
    """Return the id of an event: the finding's, and its number."""
    return derived(event.episode.uid, event.episode.sequence)


def finding(name: FindingKey, event: EpisodeEvent, subjects: FindingSubjects, now: int) -> Finding:
    """Build the event. `now` is log time."""
    answer, episode, check = event.result_of_check, event.episode, CHECKS[name.check]
    facts = {
        **answer.parameters,
        "who": f"Account {name.account}" if name.account else f"Workspace {name.app_id}",
        "app_id": name.app_id,
        "superseded_by": event.superseded_by or "",
    }
    return Finding(
        activity_id=event.activity,
        type_uid=_CLASS * 100 + event.activity,
        severity_id=answer.severity,
        status_id=_RESOLVED if event.activity == CLOSE else _NEW,
        confidence_id=answer.confidence,
        time=event.time,
        start_time=episode.opened,
        end_time=event.time if event.activity == CLOSE else None,
        message=wording.message(name.check, answer.reason, facts, closed_for=event.closed_for),
        metadata=Metadata(
            uid=ce_id(event), tenant_uid=name.tenant, sequence=episode.sequence, original_time=timestamp(event.time)
        ),
        finding_info=FindingInfo(
            uid=episode.uid,
            uid_alt=name.uid_alt(),
            title=check.title,
            desc=wording.description(name.check, answer.reason, facts),
            created_time=episode.created,
            modified_time=now if event.activity != CREATE else episode.created,
            first_seen_time=episode.opened,
            last_seen_time=event.time,
            analytic=Analytic(uid=check.uid, name=check.name, version=RULES),
        ),
        compliance=_compliance(name, event),
        resources=_resources(name, subjects),
        evidences=tuple(cited for exhibit in episode.exhibits for cited in _cited(exhibit)),
        remediation=Remediation(
            desc=wording.remedy(name.check), references=("https://app.intercom.com/a/apps/_/settings/teammates",)
        ),
        unmapped=Unmapped(
            check=name.check,
            app_id=name.app_id,
            account=name.account or None,
            staff=name.staff or None,
            result=event.result,
            reason=answer.reason,
            closed_for=event.closed_for,
            superseded_by=event.superseded_by,
            candidates=answer.candidates,
            due_time=answer.due,
        ),
        person=_person(subjects),
    )


def _compliance(name: FindingKey, event: EpisodeEvent) -> Compliance:
    check, answer, status = CHECKS[name.check], event.result_of_check, _STATUS[event.result]
    policy = {"policy": answer.policy} if answer.policy else {}
    return Compliance(
        status_id=status,
        control=check.control,
        standards=check.standards,
        control_parameters=tuple(
            Parameter(name=key, value=text) for key, text in sorted({**answer.parameters, **policy}.items())
        ),
        checks=(
            ComplianceCheck(
                uid=check.uid,
                name=check.title,
                severity_id=answer.severity,
                status_id=status,
                version=RULES,
                standards=check.standards,
            ),
        ),
    )


def _resources(name: FindingKey, subjects: FindingSubjects) -> tuple[Resource, ...]:
    account = subjects.account
    if account is None:
        return (Resource(uid=name.app_id, type="intercom.workspace"),)
    teams = value(account.fields, "team_ids")
    data = AccountData(
        role_id=value(account.fields, "role_id"),
        role_name=value(account.fields, "role_name"),
        has_inbox_seat=value(account.fields, "has_inbox_seat"),
        team_ids=None if teams is None else tuple(teams),
        classification=account.classification.value if account.classification else None,
    )
    owner = subjects.owner.id if subjects.owner else name.staff or None
    return (Resource(uid=name.account, type="intercom.admin", owner_uid=owner, data=data),)


def _cited(exhibit: CitedFact) -> Iterable[FindingEvidence]:
    """Yield the fact, and what it was made from."""
    source = exhibit.source
    yield FindingEvidence(
        topic=TOPIC, partition=source.partition, offset=source.offset, sha256=source.sha256, id=source.fact,
        kind=source.kind, time=source.time, cites=exhibit.excerpt,
    )  # fmt: skip
    for read in source.inputs:
        yield _input(read)


def _input(read: Evidence) -> FindingEvidence:
    return FindingEvidence(
        topic=read.topic,
        partition=read.partition,
        offset=read.offset,
        file=read.file,
        line=read.line,
        sha256=read.sha256,
        id=read.id,
    )


def _person(subjects: FindingSubjects) -> FindingPersonalData | None:
    account, owner = subjects.account, subjects.owner
    if account is None:
        return None
    return FindingPersonalData(
        account_name=value(account.fields, "name"),
        account_address=value(account.fields, "address"),
        owner_name=owner.name if owner else None,
        owner_addresses=owner.given if owner else (),
        candidates=tuple(CandidateData(staff=each.id, name=each.name, addresses=each.given) for each in subjects.candidates),
    )
