"""Selection of records by a condition on the merged profile."""

import json
from importlib.resources import files

import pytest

from schemas.errors import InvalidRecord
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.core.profiles.selection import Answer, Selection
from tests.support.profiles.registers import edges, fields, joined, org, person

VALUE = person(abc_1=joined(
    fields(1, email="ada@example.com", role="user", attributes__plan='"pro"', attributes__seats="3", attributes__big=str(1 << 70)),
    edges(1, "company:x", "company:y"),
))  # fmt: skip


def selection(condition):
    return Selection(condition, kind="person", nullable=PERSON.nullable)


@pytest.mark.parametrize(
    "condition",
    [
        'person.role == "user"',
        "person.phone == null",
        'person.attributes.plan == "pro" && person.attributes.seats > 2',
        '"abc:x" in person.companies',
        'person.companies.exists(company, company.endsWith(":y"))',
        'person.email.matches("@example[.]com$")',
        "!has(person.attributes.missing)",
        "person.attributes.big > 1.0",
        'person.status == "active" && person.email_allowed && !person.sms_allowed',
        'timestamp(person.updated_at / 1000) < timestamp("2020-01-01T00:00:00Z")',
        'person["role"] == "user"',
        'person . role == "user"',
        "size(person) > 20",
        "person.size() > 20",
        'person.exists(name, name == "phone")',
        '[person].exists(other, other.role == "user")',
        '"role" in person',
        '"person.phone" != person.email',
    ],
)
def test_select_records_by_conditions_on_the_merged_person(condition):
    assert selection(condition).answer(VALUE) is Answer.SELECTED
    assert selection(f"!({condition})").answer(VALUE) is Answer.NOT_SELECTED


@pytest.mark.parametrize(
    "condition",
    [
        "person.attributes.missing == 1",
        "person.email > 3",
        "person.companies[9] == ''",
        "1 / (person.attributes.seats - 3) == 1",
    ],
)
def test_a_condition_that_fails_for_a_profile_does_not_select_it_and_says_so(condition):
    assert selection(condition).answer(VALUE) is Answer.FAILED


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("person.role ==", "line 1, column 15: Syntax error"),
        ("true &&\n  nobody.role", "line 2, column 9: undeclared reference to 'nobody.role'"),
        ("org.name == 'x'", "undeclared reference to 'org.name'"),
        ("person.attributes.vip", "should be true or false; compare it with a value"),
        ("1 + 1", "has the type INT"),
        ("now() > 3", "undeclared reference to 'now'"),
        ("(" * 40 + "true" + ")" * 40, "recursion limit"),
        ("true || " * 200 + "true", "at most 1000"),
        ("", "Syntax error"),
    ],
    ids=lambda text: text[:20],
)
def test_a_condition_that_does_not_parse_or_has_no_truth_value_is_refused_with_its_place(condition, reason):
    with pytest.raises(InvalidRecord) as refused:
        selection(condition)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_condition_that_would_take_too_long_is_not_asked():
    nested = 'person.companies.all(a, person.companies.all(b, a + b != ""))'
    many = person(abc_1=joined(fields(1, role="user"), edges(1, *(f"company:{number}" for number in range(300)))))
    assert selection(nested).answer(VALUE) is Answer.SELECTED
    assert selection(nested).answer(many) is Answer.FAILED  # 90,000 steps
    assert selection('person.companies.all(a, a != "")').answer(many) is Answer.SELECTED
    huge = person(abc_1=fields(1, attributes__text=f'"{"a" * (1 << 20)}"'))
    assert selection('person.attributes.text.matches("(a+)+$")').answer(huge) is Answer.SELECTED
    repeated = " && ".join(['person.attributes.all(k, person.attributes.text.matches("b$"))'] * 15)
    assert selection(repeated).answer(huge) in (Answer.NOT_SELECTED, Answer.FAILED)
    lists = person(
        abc_1=joined(fields(1, attributes__text=f'"{"a" * (1 << 20)}"'), edges(1, *(f"company:{n}" for n in range(3000))))
    )
    assert selection('person.companies.all(c, person.attributes.text.matches("a$"))').answer(lists) is Answer.FAILED


def test_a_condition_sees_no_sources():
    assert selection("has(person.sources) || has(person.provenance)").answer(VALUE) is Answer.NOT_SELECTED


@pytest.mark.parametrize(
    ("schema", "value"), [(PERSON, person(abc_1=fields(1, attributes__a="1"))), (ORG, org(abc_1=fields(1, attributes__a="1")))]
)
def test_whatever_the_public_schema_lets_be_null_is_null_where_it_has_no_value(schema, value):
    described = json.loads((files("schemas") / "avro" / f"{schema.kind}.avsc").read_text())
    nullable = {field["name"] for field in described["fields"] if "null" in field["type"]}
    assert schema.nullable == nullable
    for name in sorted(nullable):
        for condition in (f"{schema.kind}.{name} == null", f'{schema.kind}["{name}"] == null'):
            assert Selection(condition, kind=schema.kind, nullable=schema.nullable).answer(value) is Answer.SELECTED, condition


def test_profiles_that_are_not_archived_or_deleted_can_be_selected():
    archived = person(abc_1=joined(fields(1, name="Ada"), edges(2, "archived")))
    active = person(abc_1=fields(1, name="Ada"))
    here = selection("person.archived_at == null && person.deleted_at == null && person.merged_into == null")
    assert (here.answer(active), here.answer(archived)) == (Answer.SELECTED, Answer.NOT_SELECTED)
