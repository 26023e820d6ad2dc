"""Decisions and the log of facts: what cannot be understood decides nothing, other producers need no headers, and no fact is sent that would be a dead letter."""

import asyncio

import pytest

from connectors.kafka.fact_log import FactRecord, append, fact_record
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.access.facts import AccessSettings, Fact, Grant, Policy, Rule
from schemas.errors import BadConfiguration, InvalidRecord
from schemas.tenancy import Tenancy, Tenant, Workspace
from streams.cli.verbs import policy as policy_module
from streams.core.access.state.observation import person_id
from streams.worker.settings_sync import sync_settings_facts
from tests.streams.cli.at_work import APP, at_work, company, happened, own
from tests.streams.cli.operator import Operator
from tests.streams.cli.verbs.test_decisions import WHY, checks, lines, printed
from tests.support.company import AVRO, T0, everyone, policy

POLICY = f'[[rules]]\napp_id = "{APP}"\nvalidity = "all_staff"\n'
LATER = POLICY + "until = 2999-01-01T00:00:00Z\n"


def put(cluster: KafkaSettings, *records: FactRecord) -> None:
    asyncio.run(append(cluster, records))


def of_another_producer(fact: Fact) -> FactRecord:
    """Return a record as docs/contract.md writes one: without a header."""
    return FactRecord(fact.tenant.encode(), fact_records.encode(AVRO, fact), ())


def damaged(fact: Fact) -> list[FactRecord]:
    """Return records that claim to be of the fact's type and cannot be understood."""
    record, far = fact_record(AVRO, fact), Policy(rules=(everyone(APP, starts=-1),), hash="far")
    beyond = Fact(id="b", tenant=fact.tenant, kind="policy.applied", source="x", basis="decided", policy=far)
    without = Fact(id="w", tenant=fact.tenant, kind=fact.kind, source="x", basis="decided", replaces=fact.id)
    return [
        record._replace(value=b"junk"),
        record._replace(value=fact_records.encode(AVRO, beyond)),
        record._replace(value=fact_records.encode(AVRO, without)),
    ]


def test_the_policy_is_that_of_whoever_wrote_it_and_of_no_dead_letter(operator: Operator, cluster: KafkaSettings):
    (theirs,) = own(operator, policy(everyone(APP)))
    put(cluster, *damaged(theirs), of_another_producer(theirs), *damaged(theirs))
    whose = ("--tenant", operator.tenant)
    assert operator.printed("policy", "show", *whose)["policy"] == theirs.id
    report = operator.printed("policy", "apply", operator.file("policy.toml", LATER), *whose)
    assert (report["changed"], report["replaces"]) == (True, theirs.id)
    assert operator.printed("policy", "apply", operator.file("policy.toml", LATER), *whose)["changed"] is False


def test_a_policy_that_somebody_applied_a_moment_before_stands(
    operator: Operator, cluster: KafkaSettings, monkeypatch: pytest.MonkeyPatch
):
    (theirs,) = own(operator, policy(Rule(app_id=APP, validity="ticket")))

    async def beside_another(kafka: KafkaSettings, records: list[FactRecord]) -> None:
        await append(kafka, [fact_record(AVRO, theirs), *records])

    monkeypatch.setattr(policy_module, "append", beside_another)
    applied = operator.types("policy", "apply", operator.file("policy.toml", POLICY), "--tenant", operator.tenant)
    assert applied.exit_code == 1
    assert f"has no effect: somebody applied {theirs.id} a moment before" in applied.stderr


@pytest.mark.asyncio
async def test_a_worker_starts_whatever_claims_to_be_settings(operator: Operator, cluster: KafkaSettings):
    (theirs,) = own(operator, policy(everyone(APP)))
    settings = Fact(
        id="s", tenant=operator.tenant, kind="settings.applied", source="x", basis="decided",
        settings=AccessSettings(workspaces=(), alias_domains={}, further={}, hash="h"),
    )  # fmt: skip
    calendar = Fact(id="c", tenant=operator.tenant, kind="calendar.set", source="x", basis="decided")
    damage = [fact_record(AVRO, fact)._replace(value=b"junk") for fact in (settings, calendar)]
    await append(cluster, [*damage, of_another_producer(calendar), fact_record(AVRO, theirs)])
    tenancy = Tenancy.of((), [Tenant(id=operator.tenant, workspaces=(Workspace(app_id=APP, app="support"),))])
    assert await sync_settings_facts(cluster, AVRO, tenancy) == 1
    assert await sync_settings_facts(cluster, AVRO, tenancy) == 0


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("account", "link", "7|8", "hr/77"), "is no id"),
        (("account", "undo", "\u200b"), "is no id"),
        (("account", "classify", " ", "shared"), "is no id"),
        (("exempt", "grant", "C2", "", "--no-end", "--approver", "lead"), "is no id"),
        (("approval", "grant", "7", "--ticket", " ", "--no-end"), "is no id"),
        (("approval", "grant", "7", "--ticket", "T", "--no-end", "--approver", "jo@acme.example"), "an id without address"),
        (
            ("approval", "grant", "7", "--ticket", "T" * 1001, "--no-end"),
            "grant.ticket of the fact has more than 1000 characters",
        ),
        (("approval", "grant", "7", "--ticket", "T", "--no-end", "--from", "1969-01-01T00:00:00Z"), "grant.starts of the fact"),
        (("exempt", "grant", "T1", "--no-end", "--approver", "lead"), "'T1' is not one of"),
    ],
    ids=str,
)
def test_what_could_not_be_understood_is_refused_at_once(operator: Operator, words: tuple[str, ...], problem: str):
    result = operator.types(*words, *WHY, "--wait", "5")
    assert problem in result.output + str(result.exception)
    assert operator.log() == []


@pytest.mark.parametrize("words", [("account", "unlink", "7"), ("approval", "grant", "7", "--ticket", "T", "--no-end")], ids=str)
def test_a_reason_in_which_there_is_nothing_to_read_is_none(operator: Operator, cluster: KafkaSettings, words: tuple[str, ...]):
    put(cluster, *(fact_record(AVRO, fact) for fact in own(operator, *company(), _linked())))
    result = operator.types(*words, "--reason", "\u200b ", "--wait", "1")
    assert isinstance(result.exception, BadConfiguration)
    assert "is blank" in str(result.exception)


def test_a_fact_that_would_be_a_dead_letter_makes_no_record():
    fact = Fact(id="a", tenant="acme", kind="approval.granted", source="x", basis="decided", grant=Grant(id="g", starts=-1))
    with pytest.raises(InvalidRecord, match=r"grant\.starts of the fact lies outside the years"):
        fact_record(AVRO, fact)


def test_undo_takes_back_a_decision_that_no_worker_has_come_to_yet(operator: Operator, cluster: KafkaSettings):
    put(cluster, *(fact_record(AVRO, fact) for fact in own(operator, *company(), _linked())))
    operator.types("account", "undo", "7", *WHY, "--wait", "0.1")
    operator.types("account", "classify", "7", "service", *WHY, "--wait", "0.1")
    operator.types("account", "undo", "7", *WHY, "--wait", "0.1")
    made = [fact for fact in operator.log() if fact.kind.startswith("account.")]
    assert [fact.kind for fact in made] == ["account.linked", "account.unlinked", "account.classified", "account.unclassified"]
    assert [fact.replaces for fact in made] == [None, made[0].id, None, made[2].id]


@pytest.mark.asyncio
async def test_a_source_that_says_nothing_about_somebody_is_not_right_about_them(operator: Operator, cluster: KafkaSettings):
    whose = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *company())
        refused = await asyncio.to_thread(operator.types, "staff", "decide", "hr/88", "--source", "idp", *whose, *WHY)
        assert "No record of hr/88 is of a source 'idp'" in str(refused.exception)
        await printed(operator, "staff", "decide", "hr/77", "--source", "idp", *whose, *WHY)
        assert (await checks(operator))["C2"] == "PASS"
        again = await printed(operator, "staff", "decide", "idp/j", "--source", "idp", *whose, *WHY)
        assert again["outcome"] == "unchanged"
        await printed(operator, "staff", "decide", "idp/j", "--withdraw", *whose, *WHY)  # of the same person
        assert (await checks(operator))["C2"] == "FAIL"
        nothing = await printed(operator, "staff", "decide", "hr/77", "--withdraw", *whose, *WHY)
        assert nothing["outcome"] == "unchanged"


@pytest.mark.asyncio
async def test_all_decisions_about_a_person_are_taken_back_at_once(operator: Operator, cluster: KafkaSettings):
    whose = ("--tenant", operator.tenant)
    async with at_work(cluster):
        await happened(operator, *company())
        await printed(operator, "staff", "decide", "hr/77", "--source", "idp", *whose, *WHY)
        await printed(operator, "staff", "decide", "idp/j", "--source", "hr", *whose, *WHY)
        assert (await checks(operator))["C2"] == "FAIL"
        reports = await lines(operator, "staff", "decide", "hr/77", "--withdraw", *whose, *WHY)
        assert [each["outcome"] for each in reports] == ["applied", "applied"]
        made = [fact for fact in await asyncio.to_thread(operator.log) if fact.kind == "staff.decided"]
        people = {person_id(operator.tenant, *name) for name in (("hr", "77"), ("idp", "j"))}
        assert {fact.staff for fact in made[-2:] if fact.choice and fact.choice.source is None} == people


def _linked() -> Fact:
    return Fact(
        id="linked", tenant="", kind="account.linked", source="operator", basis="decided", time=T0, app_id=APP, account="7", staff="x"
    )  # fmt: skip
