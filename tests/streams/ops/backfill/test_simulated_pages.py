"""What a backfill makes of a simulated workspace's pages: a record for each object that is there, none for another."""

from collections import Counter

import pytest

from schemas.cloudevents import Origin
from streams.ops.backfill.objects import COMPANIES, CONTACTS, OBJECTS, TEAMMATES, ReadingContext, page_records
from tests.support.company import AVRO
from tests.support.simulator.served import APP_ID, PAST_ENDS_MS, Served, config, simulated_intercom

NOW = PAST_ENDS_MS // 1000


async def read(intercom: Served, since: int | None, version: str, until: int = NOW) -> tuple[Counter[str], dict[str, set[bytes]]]:
    context = ReadingContext("acme", APP_ID, Origin.BACKFILL, since, until, version)
    objects: Counter[str] = Counter()
    keys: dict[str, set[bytes]] = {}
    async with intercom.client(version) as client:
        for name, kind in OBJECTS.items():
            async for page in client.pages(kind.listing(context)):
                made = await page_records(kind, client, context, AVRO, page)
                assert made.without_id == 0
                objects[name] += made.objects
                keys.setdefault(name, set()).update(record.key for record in made.records if record.key)
    return objects, keys


@pytest.mark.asyncio
async def test_a_whole_reading_has_each_object_that_lists_show_once() -> None:
    with simulated_intercom(config(contacts=400)) as intercom:
        intercom.simulation.changes.make("contact.merge")
        for _ in range(200):
            intercom.simulation.changes.make()
        counts = intercom.get("/simulator/truth").json()["counts"]
        objects, keys = await read(intercom, None, "2.16")
        expected = {name: counts[name] for name in (CONTACTS, COMPANIES, "conversations", "tickets")}
        expected |= {TEAMMATES: counts["teammates"] - 1}  # Fin is none
        assert {name: objects[name] for name in expected} == expected
        assert {name: objects[name] > 0 for name in OBJECTS} == dict.fromkeys(OBJECTS, True)
        assert {name: len(keys[name]) for name in ("tags", "segments", "data-attributes", "articles")} == {
            name: objects[name] for name in ("tags", "segments", "data-attributes", "articles")
        }
        assert len(keys["conversations"]) == counts["conversations"]
        assert len(keys[CONTACTS]) == counts["contacts"]
        assert len(keys[COMPANIES]) == counts["companies"]


@pytest.mark.asyncio
@pytest.mark.parametrize("version", ["2.16", "2.17"])
async def test_a_reading_of_what_changed_has_these_contacts_alone(version: str) -> None:
    with simulated_intercom(config(contacts=400)) as intercom:
        intercom.advance(3600)
        changed = {intercom.simulation.changes.make("contact.update")[1] for _ in range(30)}
        since, until = NOW - 3 * 86_400 - 17, NOW + 3600
        objects, keys = await read(intercom, since, version, until)
        active = [each for each in intercom.truth("contacts") if each["state"] == "active"]
        recent = {each["id"] for each in active if since <= each["updated_at"] <= until}
        assert objects[CONTACTS] == len(recent)
        assert {key.decode().rpartition(":")[2] for key in keys[CONTACTS]} == recent
        assert changed < recent
