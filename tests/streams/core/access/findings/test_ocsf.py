"""A finding's JSON has the shape that readers with typed classes of OCSF need, such as those of `py-ocsf-models`.

They refuse a whole event where a part that is present lacks a field: a user without an account, an account or a product without a name.
"""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import schemas
from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.exempting import Exempting, leaver
from tests.streams.core.access.test_handling import handled
from tests.support.company import DAY, T0, Company, everyone, person_of

EXAMPLES = sorted((Path(schemas.__file__).parent / "examples" / "access.violations.json").glob("*.json"))


def part(*texts, **others):
    """Return the schema of an object that has these texts, and other fields by their schemas."""
    fields = {name: {"type": "string", "minLength": 1} for name in texts} | others
    return {"type": "object", "required": list(fields), "properties": fields}


NUMBER = {"type": "integer"}
ACCOUNT = part("name", "type", "uid", type_id={"const": 99})
OWNER = part("name", "uid", type_id={"const": 1}, account=ACCOUNT)
RESOURCE = part("type", "uid")
RESOURCE["properties"] |= {"owner": OWNER, "name": {"type": "string"}, "data": {"type": "object"}}
READERS = Draft202012Validator(
    part(
        "message", "severity", "status", "type_name",
        activity_id=NUMBER, category_uid=NUMBER, class_uid=NUMBER, type_uid=NUMBER, severity_id=NUMBER, time=NUMBER,
        metadata=part("version", "original_time", product=part("name", "vendor_name")),
        finding_info=part("title", "uid", analytic=part("name", "uid", type_id=NUMBER), created_time=NUMBER),
        compliance={"type": "object", "properties": {"standards": {"type": "array", "items": {"type": "string"}}}},
        evidences={"type": "array", "items": part(data={"type": "object"})},
        remediation=part("desc", references={"type": "array", "items": {"type": "string"}}),
        resources={"type": "array", "items": RESOURCE},
    )
)  # fmt: skip


def problems(finding):
    return [f"{error.json_path}: {error.message}" for error in READERS.iter_errors(finding)]


def leavers(name="Jo Lind", address="jo@acme.example"):
    """Return the findings of an account whose owner left, known by a link."""
    company = Company()
    company.added("7", address, name=name)
    company.staff("77", *([address] if address else []), name=name, ends=T0 + DAY)
    company.decided("account.linked", "7", staff=person_of("77"))
    company.removed("7", at=T0 + 10 * DAY)
    return company.findings()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_what_typed_readers_need(path):
    assert problems(json.loads(path.read_text())) == []


@pytest.mark.parametrize(("name", "address"), [("Jo Lind", "jo@acme.example"), (None, "jo@acme.example"), (None, None)])
def test_a_finding_with_an_owner_has_what_typed_readers_need_whatever_is_known_of_them(name, address):
    findings = leavers(name, address)
    assert any("owner" in resource for finding in findings for resource in finding["resources"])
    assert [problem for finding in findings for problem in problems(finding)] == []


def test_the_owner_has_the_account_in_question():
    owners = [resource["owner"] for finding in leavers() for resource in finding["resources"] if "owner" in resource]
    assert {(owner["name"], owner["account"]["uid"], owner["account"]["name"]) for owner in owners} == {
        ("Jo Lind", "7", "jo@acme.example")
    }


@pytest.mark.parametrize("missing", ["account", "name", "uid", "type_id"])
def test_an_owner_without_one_of_these_is_noticed(missing):
    finding = next(each for each in leavers() if "owner" in each["resources"][0])
    del finding["resources"][0]["owner"][missing]
    assert problems(finding) == [f"$.resources[0].owner: '{missing}' is a required property"]


def test_an_exempt_and_a_handled_finding_have_what_typed_readers_need():
    company = leaver()
    (exempt,) = company.add(Exempting().granted(expires=None))
    company.added("8", "ida@acme.example")
    uid = company.findings()[-1]["finding_info"]["uid"]
    (acknowledged,) = company.add(handled(uid, "acknowledged", account="8", comment="I ask them"))
    assert problems(exempt) == problems(acknowledged) == []
    assert (exempt["status"], exempt["compliance"]["status"], exempt["comment"]) == (
        "Suppressed",
        "Other",
        "they hand over until then",
    )
    assert (acknowledged["status"], acknowledged["comment"]) == ("In Progress", "I ask them")


def test_a_finding_in_grace_has_what_typed_readers_need_and_is_a_warning_until_its_deadline():
    company = Company()
    company.policy(everyone(grace=grace(C2="4 days")))
    company.added("7", "jo@acme.example", name="Jo Lind")
    company.staff("77", "jo@acme.example", name="Jo Lind", ends=company.clock + DAY)
    found = company.tick(company.clock + 9 * DAY)
    assert [problem for finding in found for problem in problems(finding)] == []
    assert [(each["severity"], each["compliance"]["status"], each["unmapped"]["sla_state"]) for each in found] == [
        ("Low", "Warning", "due"), ("Low", "Warning", "critical"), ("High", "Fail", "failing"),
    ]  # fmt: skip
