"""A verb reads what the access agent has entered, and of the log of facts only what the agent has not come to."""

from typing import Any

import pytest

from connectors.kafka.fact_log import append, fact_record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.access.decision_entries import ENTRY, TOPIC, DecisionEntry
from schemas.access.facts import TOPIC as FACTS
from schemas.access.facts import Fact
from streams.cli.decisions import log as log_module
from streams.cli.decisions import staff_reference
from streams.cli.decisions.account import LINKS
from streams.cli.decisions.entered import Entered
from streams.cli.decisions.log import DecisionLog
from streams.cli.decisions.made import MadeDecision
from streams.core.access.state.observation import person_id
from streams.settings import KAFKA_ONLY, load
from tests.streams.cli.at_work import APP, at_work, company, happened, own
from tests.streams.cli.operator import Operator
from tests.support.company import AVRO, decision, staff

pytestmark = pytest.mark.asyncio


def link(record: str, replaces: Fact | None = None) -> Fact:
    fact = decision("account.linked", "8", replaces.id if replaces else None, staff=record)
    return Fact(**{**{name: getattr(fact, name) for name in fact.__struct_fields__}, "app_id": APP})


async def decision_log(operator: Operator) -> DecisionLog:
    return await DecisionLog.open(load(str(operator.config), parts=KAFKA_ONLY), operator.tenant)


async def offset_of_last(operator: Operator) -> int:
    return (await read_to_end(operator.kafka, FACTS, lambda record: record.offset, keys=[operator.tenant.encode()]))[-1]


def watch(monkeypatch: pytest.MonkeyPatch, module: Any) -> list[int]:
    """Return where each reading of the log of facts by a module begins."""
    begins: list[int] = []
    find = module.find_records

    async def found(kafka: KafkaSettings, tenant: str, keep: Any, start: int = 0) -> Any:
        begins.append(start)
        return await find(kafka, tenant, keep, start)

    monkeypatch.setattr(module, "find_records", found)
    return begins


async def test_decisions_and_their_outcomes_are_read_without_the_log_before_them(
    operator: Operator, cluster: KafkaSettings, monkeypatch: pytest.MonkeyPatch
):
    begins = watch(monkeypatch, log_module)
    async with at_work(cluster):
        first, stale = own(operator, link("a"))[0], own(operator, link("b"))[0]
        await happened(operator, *company(), link("a"), link("b"))
        log = await decision_log(operator)
        made = await log.made(LINKS)
        last = await offset_of_last(operator)
    assert [(each.fact.id, each.outcome) for each in made] == [(first.id, "applied"), (stale.id, "stale")]
    assert begins == [last], "the last fact that the agent came to, and what is behind it"


async def test_a_decision_that_no_worker_has_come_to_is_among_them_without_an_outcome(operator: Operator, cluster: KafkaSettings):
    async with at_work(cluster):
        await happened(operator, *company(), link("a"))
    waiting = own(operator, link("b"))[0]
    await append(cluster, [fact_record(AVRO, waiting)])
    made = await (await decision_log(operator)).made(LINKS)
    assert [each.outcome for each in made] == ["applied", None]
    assert made[-1].fact == waiting


async def test_what_is_read_is_what_the_whole_log_and_ledger_say(
    operator: Operator, cluster: KafkaSettings, monkeypatch: pytest.MonkeyPatch
):
    async def nothing(*_: Any) -> Entered:
        return Entered()

    async with at_work(cluster):
        await happened(operator, *company(), link("a"), link("b"))
        again = own(operator, link("a"))
        await append(cluster, [fact_record(AVRO, fact) for fact in again])
        await happened(operator, staff("99", "new@acme.example"))
        log = await decision_log(operator)
        by_entries: list[MadeDecision] = await log.made(LINKS)
        monkeypatch.setattr(log_module, "entered", nothing)
        assert await log.made(LINKS) == by_entries
        assert [each.outcome for each in by_entries] == ["applied", "stale", "applied"], (
            "a fact that is sent again has its first outcome"
        )


async def test_staff_is_known_by_the_agents_table_and_by_what_it_has_not_come_to(
    operator: Operator, cluster: KafkaSettings, monkeypatch: pytest.MonkeyPatch
):
    begins = watch(monkeypatch, staff_reference)
    settings = load(str(operator.config), parts=KAFKA_ONLY)
    async with at_work(cluster):
        await happened(operator, *company())
        last = await offset_of_last(operator)
    await append(cluster, [fact_record(AVRO, fact) for fact in own(operator, staff("99|a/b", "new@acme.example"))])
    known = await staff_reference.known_staff(settings, operator.tenant)
    names = (("hr", "77"), ("hr", "88"), ("idp", "j"), ("hr", "99|a/b"))
    assert known == {person_id(operator.tenant, source, name): f"{source}/{name}" for source, name in names}
    assert begins == [last]


async def test_an_entry_is_readable_once_the_ledger_has_the_outcome(operator: Operator, cluster: KafkaSettings):
    def offsets(record: Any) -> int | None:
        entry = ENTRY.decode(record.value) if record.key.startswith(operator.tenant.encode()) else None
        return entry.offset if isinstance(entry, DecisionEntry) else None

    async with at_work(cluster):
        await happened(operator, *company())
        before: Fact | None = None
        for number in range(5):
            (fact,) = own(operator, link(str(number), before))
            log = await decision_log(operator)
            assert (await log.decide([fact]))[fact.id] == "applied"
            assert (await log.made(LINKS))[-1].outcome == "applied"
            before = fact
        assert len(await read_to_end(operator.kafka, TOPIC, offsets)) == 5
