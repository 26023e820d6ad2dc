"""Our JSON of a finding is what OCSF has published, and other readers read it: the schemas of 1.6 and 1.8, the classes of py-ocsf-models.

Every kind of event is tried twice: each check with each of its reasons, results and ways to close, without the history that leads there;
and what histories lead to.
"""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.access.limits import MOST_ADDRESSES
from streams.core.access.checks.check import DUE, EXEMPT, FAIL, PASS, UNKNOWN, UNKNOWN_REASONS, AccountCheck, CheckDefinition
from streams.core.access.checks.table import CHECKS
from streams.core.access.findings.build import Described, FindingSubjects, finding_event
from streams.core.access.findings.episodes import CLOSE, CREATE, UPDATE, EpisodeEvent, FindingKey
from streams.core.access.findings.ocsf import to_ocsf
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import CheckResult, CitedFact, Episode, Exemption, FactReference, FindingHandling
from tests.streams.core.access.checks.further.activities import switched_on
from tests.streams.core.access.checks.further.test_switches import ALL, happened
from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.exempting import Exempting, leaver
from tests.streams.core.access.test_handling import handled
from tests.support.access_histories.history import history
from tests.support.access_laws.product import processed
from tests.support.company import APP, DAY, T0, TENANT, Company, everyone, person_of
from tests.support.ocsf.readers import VERSIONS, problems

EXAMPLES = sorted((Path(schemas.__file__).parent / "examples" / "access.violations.json").glob("*.json"))
CLOSINGS = ("fixed", "not_applicable", "superseded", "voided")
EXEMPTION = Exemption(id="e1", starts=T0, expires=T0 + DAY, approver="lead", evidence_sha256="0" * 64, reason="hands over")
HANDLED = FindingHandling(action="acknowledged", facts=("f9",), assignee="team:it", acknowledged=True, comment="I ask them")
PERSON = Described("p1", "Jo Lind", ("jo@acme.example",))


def events(check: CheckDefinition) -> Iterator[dict[str, Any]]:
    """Yield events of each kind that a check's finding can have: each reason with each result, and each way to close."""
    unknown = {**UNKNOWN_REASONS, **check.unknown_reasons} if isinstance(check, AccountCheck) else check.unknown_reasons
    results = [(FAIL, reason) for reason in check.wording] + [(UNKNOWN, reason) for reason in unknown]
    if isinstance(check, AccountCheck):
        results += [(EXEMPT, reason) for reason in check.wording]
        results += [(DUE, reason) for reason in check.wording if check.has_grace]
    whom, kinds = subjects_of(check), [(CREATE, None), (UPDATE, None), *((CLOSE, closed_for) for closed_for in CLOSINGS)]
    every = [*itertools.product(results[:1], whom, kinds), *zip(results, itertools.cycle(whom), itertools.cycle(kinds[:2]))]
    for (result, reason), subjects, (activity, closed_for) in every:
        shown = result if closed_for is None else PASS if closed_for == "fixed" else None
        yield event(check, subjects, (shown, reason), (activity, closed_for))


def subjects_of(check: CheckDefinition) -> tuple[FindingSubjects, ...]:
    """Return whom a check's finding can be about: nobody that is known, or known with an owner, or with candidates."""
    if not isinstance(check, AccountCheck):
        return (FindingSubjects(None),)
    company = Company()
    company.added("7")
    company.added("8", "jo@acme.example", name="Jo Lind", role="Support")
    nameless, named = (TenantState(company.table, TENANT).accounts.get(APP, account) for account in "78")
    return (
        FindingSubjects(nameless),
        FindingSubjects(nameless, Described("p1", None, ())),
        FindingSubjects(named, PERSON, (PERSON, Described("p2", None, ()))),
    )


def event(
    check: CheckDefinition, subjects: FindingSubjects, answer: tuple[str | None, str], kind: tuple[int, str | None]
) -> dict[str, Any]:
    """Return one event, `kind` being its activity and why it closes."""
    (shown, reason), (activity, closed_for) = answer, kind
    source = FactReference("f1", "admin.added", T0, T0, 0, 7, "0" * 64)
    due = {"due": T0 + DAY, "sla_state": "due"} if shown == DUE else {}
    result = CheckResult(
        check=check.id, result=shown or FAIL, reason=reason, since=T0, severity=check.severity, held=T0, policy="p", parameters={"a": "b"},
        candidates=tuple(each.id for each in subjects.candidates), exemption=EXEMPTION if shown == EXEMPT else None, **due,
    )  # fmt: skip
    episode = Episode(
        uid="u1", staff="", people=(), sequence=2, reported=result, created=T0, since=T0, created_log=T0, presence=T0, substance="",
        evidence=(CitedFact(source, {"kind": "admin.added"}),), handling=HANDLED if subjects.owner else None,
    )  # fmt: skip
    account = "7" if isinstance(check, AccountCheck) else ""
    changed = EpisodeEvent(activity, episode, result, T0, shown, closed_for, "C2" if closed_for == "superseded" else None)
    return to_ocsf(
        finding_event(FindingKey(TENANT, check.id, APP, account, ""), changed, subjects, T0, rules="1").finding, version="1.0"
    )


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_read(path):
    assert problems(json.loads(path.read_text())) == []


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.id)
def test_every_kind_of_event_of_a_check_is_read(check):
    found = {problem for finding in events(check) for problem in problems(finding)}
    assert found == set()


def test_a_hundred_candidates_of_a_hundred_long_addresses_each_make_no_finding_larger_than_a_record():
    others = tuple(f"{'j' * 50}.{number}@{'long.' * 30}example" for number in range(MOST_ADDRESSES))
    candidates = tuple(Described(f"p{number}", None, others) for number in range(200))
    subjects = subjects_of(CHECKS["C1"])[0]._replace(candidates=candidates)
    found = event(CHECKS["C1"], subjects, (FAIL, "ambiguous"), (CREATE, None))
    assert len(json.dumps(found)) < 1 << 20
    assert [len(each["addresses"]) for each in found["unmapped"]["candidates"]] == [10] * 100
    assert {"name": "candidates", "value": "200"} in found["compliance"]["control_parameters"]


@pytest.fixture(scope="module")
def lived():
    """What histories lead to, with all further checks switched on."""
    further = happened(switched_on(**ALL))
    further.tick(further.clock + 2 * DAY)
    generated = (finding for seed in range(24) for finding in processed(history(seed, 24)).findings())
    return [*further.findings(), *generated]


def test_what_histories_lead_to_is_read(lived):
    assert {problem for finding in lived for problem in problems(finding)} == set()


def test_these_histories_have_every_activity_result_and_way_to_close(lived):
    assert {finding["activity_name"] for finding in lived} == {"Create", "Update", "Close"}
    assert {finding["unmapped"].get("result") for finding in lived} == {PASS, FAIL, DUE, UNKNOWN, EXEMPT, None}
    assert {finding["unmapped"].get("closed_for") for finding in lived} == {*CLOSINGS, None}
    assert {finding["status"] for finding in lived} == {"New", "In Progress", "Suppressed", "Resolved"}


def broken(change) -> list[str]:
    """Return what is wrong with an open finding of a leaver after a change of it."""
    finding = next(each for each in leavers() if "owner" in each["resources"][0] and each["activity_id"] == CREATE)
    change(finding)
    return problems(finding)


def leavers(name: str | None = "Jo Lind", address: str | None = "jo@acme.example") -> list[dict[str, Any]]:
    """Return the findings of an account whose owner left, known by a link."""
    company = Company()
    company.added("7", address, name=name)
    company.staff("77", *([address] if address else []), name=name, ends=T0 + DAY)
    company.decided("account.linked", "7", staff=person_of("77"))
    company.removed("7", at=T0 + 10 * DAY)
    return company.findings()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda finding: finding.pop("time"), "$: 'time' is a required property"),
        (lambda finding: finding.update(status="Old"), "$.status: 'New' was expected"),
        (lambda finding: finding.update(severity_id=9), "$.severity_id: 9 is not one of [0, 1, 2, 3, 4, 5, 6, 99]"),
        (lambda finding: finding.update(risk=1), "$: Additional properties are not allowed ('risk' was unexpected)"),
        (lambda finding: finding["evidences"].insert(0, {}), "$.evidences[0]: {} is not valid under any of the given schemas"),
        (lambda finding: finding["metadata"].update(profiles=[]), "$.metadata.profiles: ['security_control'] was expected"),
        (
            lambda finding: finding["compliance"].update(status_detail="x"),  # deprecated
            "$.compliance: Additional properties are not allowed ('status_detail' was unexpected)",
        ),
    ],
    ids=["required", "caption", "number", "unknown", "constraint", "profile", "deprecated"],
)  # fmt: skip
def test_a_fault_is_noticed_by_the_published_schema(version, change, found):
    assert f"{version} {found}" in broken(change)


@pytest.mark.parametrize("missing", ["account", "name", "uid", "type_id"])
def test_an_owner_without_one_of_these_is_noticed_by_the_typed_classes(missing):
    """They refuse a whole event where a part that is present lacks a field."""
    found = broken(lambda finding: finding["resources"][0]["owner"].pop(missing))
    assert f"py-ocsf-models resources.0.owner.{missing}: Field required" in found


def test_a_value_that_the_typed_classes_read_as_another_is_noticed():
    found = broken(lambda finding: finding.update(time="1767225600000"))
    assert "py-ocsf-models finding.time: read as 1767225600000, written as '1767225600000'" in found


def test_the_owner_has_the_account_in_question():
    owners = [resource["owner"] for finding in leavers() for resource in finding["resources"] if "owner" in resource]
    assert {(owner["name"], owner["account"]["uid"], owner["account"]["name"]) for owner in owners} == {
        ("Jo Lind", "7", "jo@acme.example")
    }


def test_an_exempt_and_a_handled_finding_say_why_and_who():
    company = leaver()
    (exempt,) = company.add(Exempting().granted(expires=None))
    company.added("8", "ida@acme.example")
    uid = company.findings()[-1]["finding_info"]["uid"]
    (acknowledged,) = company.add(handled(uid, "acknowledged", account="8", comment="I ask them"))
    assert (exempt["status"], exempt["compliance"]["status"], exempt["comment"]) == (
        "Suppressed",
        "Other",
        "they hand over until then",
    )
    assert (acknowledged["status"], acknowledged["comment"]) == ("In Progress", "I ask them")


def test_a_finding_in_grace_is_a_warning_until_its_deadline():
    company = Company()
    company.policy(everyone(grace=grace(C2="4 days")))
    company.added("7", "jo@acme.example", name="Jo Lind")
    company.staff("77", "jo@acme.example", name="Jo Lind", ends=company.clock + DAY)
    found = company.tick(company.clock + 9 * DAY)
    assert [(each["severity"], each["compliance"]["status"], each["unmapped"]["sla_state"]) for each in found] == [
        ("Low", "Warning", "due"), ("Low", "Warning", "critical"), ("High", "Fail", "failing"),
    ]  # fmt: skip
