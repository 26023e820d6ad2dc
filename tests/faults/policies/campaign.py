"""A policy changed forth and back over many people while a worker is killed in the middle: one change per person and direction."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from click.testing import CliRunner

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from connectors.local import temporary_stack
from schemas.codec import Avro
from schemas.message import header
from streams.cli.main import root
from streams.supervise.self_process import argv
from tests.faults.fleet import Fleet
from tests.support.config import config_text, write_config
from tests.support.counting_agent import followed, read_all
from tests.support.engines import append_posts, latest
from tests.support.intercom_bodies import AT, contact, posted

_AT_ONCE = 1_000  # posts in a transaction
_QUIET_S = 420.0  # without any change: more than one that is killed takes to be found out
_AVRO = Avro.local()


def policy_file(folder: Path, strategy: str) -> Path:
    """Write a policy of people."""
    path = folder / f"{strategy}.toml"
    path.write_text(f'kind = "person"\nstrategy = "{strategy}"\n')
    return path


def apply(config: Path, file: Path) -> str:
    """Apply a policy as an operator does, and return what the command says."""
    done = CliRunner().invoke(root, ["--config", str(config), "profiles", "policy", "apply", str(file)])
    assert done.exit_code == 0, f"{done.output}{done.exception}"
    return done.output


def long_run(people: int) -> None:
    """Run the campaign with so many people on a broker of its own."""
    with tempfile.TemporaryDirectory() as name, temporary_stack() as stack:
        folder, kafka = Path(name), stack.addresses.kafka
        config = write_config(folder, config_text(kafka={"bootstrap": kafka}))
        workers = Fleet(argv(str(config), "worker")[1:], folder, {"KAFKA_BOOTSTRAP": kafka, "SCHEMA_REGISTRY_URL": ""})
        settings = KafkaSettings(bootstrap=kafka)
        asyncio.run(topics.apply(settings))
        try:
            asyncio.run(PolicyCampaign(settings, workers, config, people).run())
        finally:
            workers.close()


class PolicyCampaign:
    """So many people, each renamed once, so that their first and their last name differ."""

    def __init__(self, settings: KafkaSettings, workers: Fleet, config: Path, people: int) -> None:
        self._settings = settings
        self._workers = workers
        self._config = config
        self._people = people

    async def run(self) -> None:
        """Raise AssertionError where a law is broken."""
        async with followed(self._settings, "people.changes") as self._changes:
            await self._forth_and_back()

    async def _forth_and_back(self) -> None:
        for _ in range(2):
            self._workers.start()
        async with transactions(self._settings, "posts") as producer:
            for name, number in (("First", 1), ("Last", 2)):
                bodies = [self._post(at, name, number) for at in range(self._people)]
                for start in range(0, len(bodies), _AT_ONCE):
                    await append_posts(producer, "intercom.contacts", bodies[start : start + _AT_ONCE])
        await self._until_changes(2 * self._people)
        before = await latest(self._settings, "people")
        await self._change("append_only", 2, kill=True)
        there = await latest(self._settings, "people")
        assert {_AVRO.decode(value)[1]["name"] for value in there.values()} == {"First"}
        assert there.keys() == before.keys()
        await self._change("overwrite", 3, kill=False)
        assert await latest(self._settings, "people") == before
        again = await asyncio.to_thread(apply, self._config, policy_file(self._config.parent, "overwrite"))
        assert "nothing to do" in again
        changes = await self._changes()
        ids = Counter(header(change.headers, "ce_id") for change in changes)
        assert len(ids) == len(changes) == 4 * self._people
        assert await read_all(self._settings, "dead.letters") == []

    async def _change(self, strategy: str, before: int, *, kill: bool) -> None:
        """Apply a policy; everybody has one change more."""
        output = await asyncio.to_thread(apply, self._config, policy_file(self._config.parent, strategy))
        if kill:
            await self._until_changes(before * self._people + 1)
            self._workers.kill(0)
            self._workers.start()
        await self._until_changes((before + 1) * self._people)
        caused = [_AVRO.decode(change.value)[1] for change in (await self._changes())]
        by_policy = [change for change in caused if change["cause"] in output]
        assert len({change["profile"] for change in by_policy}) == len(by_policy) == self._people
        assert {tuple(each["field"] for each in change["changes"]) for change in by_policy} == {("name",)}

    async def _until_changes(self, count: int) -> None:
        """Wait until so many changes are there. It is given up once none has come for long, however many are left."""
        last, deadline = -1, 0.0
        while (found := len(await self._changes())) < count:
            now = asyncio.get_running_loop().time()
            if found > last:
                last, deadline = found, now + _QUIET_S
            assert self._workers.exit_codes() == [], self._workers.log_tails()
            assert now < deadline, f"{found} of {count} changes\n{self._workers.log_tails()}"
            await asyncio.sleep(0.2)
        assert found == count or count % self._people == 1

    def _post(self, at: int, name: str, number: int) -> bytes:
        body = contact(f"65f0c0ffee{at:014}", updated=(AT + number) * 1000, name=name)
        return posted("contact.user.updated", body, number=f"{number}_{at}")
