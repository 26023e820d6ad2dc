"""What the access agent writes: keys, ids, headers, and a finding as Avro and as OCSF JSON."""

import json
from typing import Any

import msgspec
import pytest

from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.cloudevents import Origin
from schemas.errors import InvalidRecord
from schemas.message import RecordValue, header
from streams.core.access.checks.table import ACCOUNT_CHECKS
from streams.core.access.state.directory import Directory
from streams.core.access.state.tenant import TenantState
from tests.support.company import AVRO, DAY, T0, TENANT, Company, admin, everyone, roles, staff
from tests.support.ocsf.readers import problems

JO = "jo@acme.example"


@pytest.fixture(scope="module")
def company() -> Company:
    """Everything that can happen to a finding, once."""
    company = Company()
    company.added("7", JO, name="Jo Lind")
    company.staff("77", JO, roles=("Support",), name="Jo Lind")
    company.staff("78", JO, roles=("Support",))
    company.snapshot(staff("77", JO, roles=("Support",)), requested=T0 + DAY)
    company.policy(roles("Sales"))
    company.policy()
    company.policy(everyone())
    company.staff("77", JO, at=T0 + 2 * DAY, ends=T0 + 9 * DAY)
    company.removed("7", at=T0 + 10 * DAY)
    company.removed("8", at=T0 + 3 * DAY)
    company.added("8", "al@acme.example", at=T0 + DAY)
    return company


def test_every_twin_is_a_compliance_finding_of_ocsf(company: Company):
    assert [problem for finding in company.findings() for problem in problems(finding)] == []
    assert {finding["activity_id"] for finding in company.findings()} == {1, 2, 3}
    assert all(finding["evidences"] and finding["compliance"]["standards"] for finding in company.findings())


def test_the_avro_form_and_the_twin_say_the_same_under_the_same_id_and_key(company: Company):
    avro = [sent for sent in company.sent if sent.topic == "access.violations"]
    ocsf = [sent for sent in company.sent if sent.topic == "access.violations.json"]
    assert [(sent.key, header(sent.headers, "ce_id")) for sent in avro] == [
        (sent.key, header(sent.headers, "ce_id")) for sent in ocsf
    ]
    for avro_record, ocsf_record in zip(avro, ocsf, strict=True):
        name, value = AVRO.decode(avro_record.value or b"")
        finding = json.loads(ocsf_record.value or b"")
        assert name == "finding"
        assert value["finding_info"]["uid"] == finding["finding_info"]["uid"]
        assert value["unmapped"]["result"] == finding["unmapped"].get("result")
        assert header(ocsf_record.headers, "content-type") == "application/json"


def test_everything_personal_of_a_finding_is_in_its_personal_part(company: Company):
    for sent in company.sent:
        if sent.topic in ("access.violations", "access.state", "access.ledger") and sent.value is not None:
            value: dict[str, Any] = AVRO.decode(sent.value)[1]
            value.pop("person", None)
            assert "acme.example" not in json.dumps(value)
            assert "Jo Lind" not in json.dumps(value)


def test_keys_are_the_account_or_for_c3_the_workspace(company: Company):
    keys = {(sent.key or b"").decode() for sent in company.sent if sent.topic == "access.violations"}
    assert keys == {"acme:ws1:7", "acme:ws1:8", "acme:ws1"}


def test_types_sequences_and_times_are_in_the_headers(company: Company):
    first = next(sent for sent in company.sent if sent.topic == "access.violations")
    assert header(first.headers, "ce_type") == "access.violation.opened.v1"
    assert header(first.headers, "ce_sequence") == f"{1:020d}"
    assert header(first.headers, "ce_time") == "2026-01-01T00:00:00.000Z"
    assert header(first.headers, "ce_recordedtime") == "2026-01-11T00:00:01.000Z"
    assert header(first.headers, "ce_dataschema") == AVRO.data_schema("finding")


def test_a_finding_closed_for_another_reason_than_being_fixed_shows_no_pass(company: Company):
    closed = [finding for finding in company.findings() if finding["activity_id"] == 3]
    assert {finding["compliance"]["status_id"] for finding in closed if finding["unmapped"]["closed_for"] == "fixed"} == {1}
    others = [finding for finding in closed if finding["unmapped"]["closed_for"] != "fixed"]
    assert {finding["compliance"]["status_id"] for finding in others} <= {99}
    assert not any("result" in finding["unmapped"] for finding in others)


def test_the_message_names_the_person_only_in_the_twin(company: Company):
    (avro,) = [
        value
        for sent in company.sent
        if sent.topic == "access.violations" and (value := AVRO.decode(sent.value or b"")[1])["unmapped"]["check"] == "C2"
        and value["activity_id"] == 1
    ]  # fmt: skip
    ocsf = next(finding for finding in company.findings() if finding["metadata"]["uid"] == avro["metadata"]["uid"])
    assert avro["message"].startswith("Account 7 left")
    assert ocsf["message"].startswith("jo@acme.example left")


def test_a_check_that_no_longer_applies_leaves_a_tombstone(company: Company):
    last = {sent.key: sent.value for sent in company.sent if sent.topic == "access.state"}
    assert last[b"acme|C1|ws1|7|"] is None
    assert last[b"acme|C3|ws1||"] is not None


def test_a_fact_of_a_kind_not_known_here_is_recorded_and_changes_nothing():
    company = Company()
    fact = Fact(id="1", tenant="acme", kind="of.a.later.release", source="s", basis="observed")
    assert company.add(fact) == []
    assert company.ledger()[-1]["outcome"] == "recorded"


@pytest.mark.parametrize("value", [None, b"", b"\x00\x00\x00\x00\x07abc", b"{}"])
def test_what_is_no_fact_is_unusable(value: bytes | None):
    with pytest.raises(InvalidRecord):
        Company().process([RecordValue(b"acme", value)])


@pytest.mark.parametrize("change", [{"account": "a|b"}, {"tenant": "@due"}, {"app_id": "a\nb"}, {"account": None}])
def test_a_fact_whose_ids_could_not_stand_in_a_key_is_unusable(change: dict[str, Any]):
    fact = msgspec.structs.replace(admin("admin.added", "7", JO), **change)
    with pytest.raises(InvalidRecord):
        Company().process([RecordValue(b"acme", fact_records.encode(AVRO, fact))])


def test_the_tick_the_agent_asks_for_is_a_fact_it_understands():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    ends = company.clock + DAY
    company.staff("77", JO, at=T0 + DAY, ends=ends)
    company.tick(ends - 1)  # until then it wants to be woken for what it renews
    assert company.agent.wake is not None
    wake = company.agent.wake(company.table)
    assert wake is not None
    assert header(wake.headers, "ce_origin") == Origin.DERIVED
    findings = company.process([RecordValue(wake.key, wake.value, wake.headers, 99, wake.at)])
    assert [finding["unmapped"]["check"] for finding in findings] == ["C2"]
    assert company.deadlines() == [at for at in deadlines_of(company, "hr", "77") if at > wake.at][:1]


def deadlines_of(company, source, record):
    """Return every instant at which a check's answer changes by itself, because of this staff record."""
    found = Directory(TenantState(company.table, TENANT)).record((source, record))
    return [at for check in ACCOUNT_CHECKS if check.deadline for at in check.deadline.of_record(found)]
