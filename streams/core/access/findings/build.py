"""An event of a finding as it is published: complete, in OCSF terms, with all personal data in one part."""

from collections.abc import Iterable, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.access.facts import TOPIC, Evidence
from schemas.access.findings import (
    AccountData,
    Analytic,
    AppliedExemption,
    CandidateData,
    Compliance,
    ComplianceCheck,
    Finding,
    FindingEvidence,
    FindingInfo,
    FindingPersonalData,
    Handling,
    Metadata,
    Parameter,
    Remediation,
    Resource,
    Unmapped,
)
from schemas.cloudevents import timestamp
from schemas.ids import derived
from schemas.tenancy import DEFAULT_REGION
from streams.core.access.checks.table import CHECKS
from streams.core.access.findings import render
from streams.core.access.findings.episodes import CLOSE, CREATE, EpisodeEvent, FindingKey
from streams.core.access.findings.links import teammates_page
from streams.core.access.state.fields import value
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.rules_rows import WITH_BEGINNINGS, WITH_INFERENCE, follows
from streams.core.access.state.rows import AccountRow
from streams.core.access.state.values import CitedFact, Exemption, FindingHandling

_STATUS: Final = MappingProxyType({"PASS": 1, "UNKNOWN": 2, "DUE": 2, "FAIL": 3, "EXEMPT": 99, None: 99})  # compliance.status_id
_NEW, _IN_PROGRESS, _SUPPRESSED, _RESOLVED = 1, 2, 3, 4  # status_id of a finding
_CLASS: Final = 2003
_SHOWN: Final = 100  # of candidates, evidence, addresses and teams: a finding stays far below the size of a record
_OF_A_CANDIDATE: Final = 10  # addresses: a hundred of a hundred candidates would not fit into a record


class FindingEvent(NamedTuple):
    """An event of a finding, its subject, and the ids of the people it is about."""

    key: FindingKey
    finding: Finding
    people: tuple[str, ...]


class FindingSubjects(NamedTuple):
    """The account of an event, its owner, and those who might own it, as the sources describe them."""

    account: AccountRow | None
    owner: "Described | None" = None
    candidates: tuple["Described", ...] = ()

    def context(self) -> object:
        """Return what a reader would call a change of the finding, beyond its result."""
        account = self.account
        fields = ("name", "address", "role_id", "role_name", "has_inbox_seat")
        return [
            None if account is None else [value(account.fields, field) for field in fields],
            None if self.owner is None else [self.owner.name, list(self.owner.given)],
        ]


class Described(NamedTuple):
    """A person's id, name and addresses."""

    id: str
    name: str | None
    given: tuple[str, ...]

    @classmethod
    def of(cls, person: Person, precedence: Sequence[str], now: int) -> "Described":
        """Describe a person by the first source of the precedence."""
        return cls(person.id, person.described("name", precedence, now), person.given(precedence, now))

    def __repr__(self) -> str:
        return f"Described({self.id!r}, ***)"


def ce_id(event: EpisodeEvent) -> str:
    """Return the id of an event: the finding's, and its number."""
    return derived(event.episode.uid, event.episode.sequence)


def finding_event(
    key: FindingKey, event: EpisodeEvent, subjects: FindingSubjects, now: int, *, rules: str, region: str = DEFAULT_REGION
) -> FindingEvent:
    """Build the published form of an event. `now` is log time (ms), `rules` the version of the tenant's rules, `region` where the workspace is: its pages have another host each."""
    return FindingEvent(key, _finding(key, event, subjects, now, (rules, region)), event.episode.people)


def _finding(key: FindingKey, event: EpisodeEvent, subjects: FindingSubjects, now: int, place: tuple[str, str]) -> Finding:
    rules, region = place
    result, episode, check = event.check_result, event.episode, CHECKS[key.check]
    facts = {
        **result.parameters,
        "who": f"Account {key.account}" if key.account else f"Workspace {key.app_id}",
        "app_id": key.app_id,
        "superseded_by": event.superseded_by or "",
    }
    return Finding(
        activity_id=event.activity,
        type_uid=_CLASS * 100 + event.activity,
        severity_id=result.severity,
        status_id=_status(event),
        confidence_id=result.confidence,
        time=event.time,
        start_time=episode.since,
        end_time=event.time if event.activity == CLOSE else None,
        message=render.message(check, result.reason, facts, closed_for=event.closed_for, rules=rules),
        metadata=Metadata(
            uid=ce_id(event), tenant_uid=key.tenant, sequence=episode.sequence, original_time=timestamp(event.time)
        ),
        finding_info=FindingInfo(
            uid=episode.uid,
            uid_alt=key.uid_alt(),
            title=check.title,
            desc=render.description(check, result.reason, facts, rules=rules),
            created_time=episode.created_log,
            modified_time=now if event.activity != CREATE else episode.created_log,
            first_seen_time=min(episode.since, episode.created) if follows(rules, WITH_BEGINNINGS) else episode.since,
            last_seen_time=event.time,
            analytic=Analytic(uid=check.uid, name=check.name, version=rules),
        ),
        compliance=_compliance(key, event, rules),
        resources=_resources(key, subjects),
        evidences=tuple(islice((cited for fact in episode.evidence for cited in _cited(fact)), _SHOWN)),
        remediation=Remediation(desc=render.remedy(check, facts), references=(teammates_page(key.app_id, region),)),
        unmapped=Unmapped(
            check=key.check,
            app_id=key.app_id,
            account=key.account or None,
            staff=key.staff or None,
            result=event.result,
            reason=result.reason,
            closed_for=event.closed_for,
            superseded_by=event.superseded_by,
            candidates=result.candidates[:_SHOWN],
            due_time=result.due,
            sla_state=result.sla_state,
            inferred=event.inferred and bool(key.account) and follows(rules, WITH_INFERENCE),
            baseline=episode.baseline,
            exemption=_exemption(result.exemption),
            handling=shown_handling(episode.handling),
        ),
        person=_person(subjects, result.exemption, episode.handling),
    )


def _status(event: EpisodeEvent) -> int:
    if event.activity == CLOSE:
        return _RESOLVED
    if event.check_result.exemption is not None:
        return _SUPPRESSED
    handling = event.episode.handling
    return _IN_PROGRESS if handling is not None and handling.acknowledged else _NEW


def _exemption(exemption: Exemption | None) -> AppliedExemption | None:
    if exemption is None:
        return None
    return AppliedExemption(
        id=exemption.id,
        starts=exemption.starts,
        expires=exemption.expires,
        approver=exemption.approver,
        evidence_sha256=exemption.evidence_sha256,
    )


def shown_handling(handling: FindingHandling | None) -> Handling | None:
    """Return what was done about a finding as its events and `access.state` show it."""
    return None if handling is None else Handling(action=handling.action, assignee=handling.assignee, fact=handling.facts[-1])


def _compliance(key: FindingKey, event: EpisodeEvent, rules: str) -> Compliance:
    check, result, status = CHECKS[key.check], event.check_result, _STATUS[event.result]
    more = {"policy": result.policy} if result.policy else {}
    if len(result.candidates) > _SHOWN:
        more["candidates"] = str(len(result.candidates))  # of whom the finding lists the first
    return Compliance(
        status_id=status,
        control=check.control,
        standards=check.standards,
        control_parameters=tuple(
            Parameter(name=name, value=text) for name, text in sorted({**result.parameters, **more}.items())
        ),
        checks=(
            ComplianceCheck(
                uid=check.uid,
                name=check.title,
                severity_id=result.severity,
                status_id=status,
                version=rules,
                standards=check.standards,
            ),
        ),
    )


def _resources(key: FindingKey, subjects: FindingSubjects) -> tuple[Resource, ...]:
    account = subjects.account
    if account is None:
        return (Resource(uid=key.app_id, type="intercom.workspace"),)
    teams = value(account.fields, "team_ids")
    data = AccountData(
        role_id=value(account.fields, "role_id"),
        role_name=value(account.fields, "role_name"),
        has_inbox_seat=value(account.fields, "has_inbox_seat"),
        team_ids=None if teams is None else tuple(teams[:_SHOWN]),
        classification=account.classification.kind if account.classification else None,
    )
    owner = subjects.owner.id if subjects.owner else key.staff or None
    return (Resource(uid=key.account, type="intercom.admin", owner_uid=owner, data=data),)


def _cited(fact: CitedFact) -> Iterable[FindingEvidence]:
    """Yield the fact, and the inputs it was made from."""
    source = fact.source
    yield FindingEvidence(
        topic=TOPIC, partition=source.partition, offset=source.offset, sha256=source.sha256, id=source.fact,
        kind=source.kind, time=source.time, cites=fact.excerpt,
    )  # fmt: skip
    for evidence in source.inputs:
        yield _input(evidence)


def _input(evidence: Evidence) -> FindingEvidence:
    return FindingEvidence(
        topic=evidence.topic,
        partition=evidence.partition,
        offset=evidence.offset,
        file=evidence.file,
        line=evidence.line,
        sha256=evidence.sha256,
        id=evidence.id,
    )


def _person(
    subjects: FindingSubjects, exemption: Exemption | None, handling: FindingHandling | None
) -> FindingPersonalData | None:
    account, owner = subjects.account, subjects.owner
    reason, comment = exemption.reason if exemption else None, handling.comment if handling else None
    if account is None:
        return FindingPersonalData(exemption_reason=reason, comment=comment) if reason or comment else None
    return FindingPersonalData(
        account_name=value(account.fields, "name"),
        account_address=value(account.fields, "address"),
        owner_name=owner.name if owner else None,
        owner_addresses=owner.given[:_SHOWN] if owner else (),
        candidates=tuple(
            CandidateData(staff=each.id, name=each.name, addresses=each.given[:_OF_A_CANDIDATE])
            for each in subjects.candidates[:_SHOWN]
        ),
        exemption_reason=reason,
        comment=comment,
    )
