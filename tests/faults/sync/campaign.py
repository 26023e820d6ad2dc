"""A campaign of a workspace whose webhooks get lost: every fault that may cost one, then a resync, and the tables are Intercom's truth.

Simulator, ingress, worker and sync are processes, as a user runs them; what they hold is read with a Kafka client.
"""

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from connectors.kafka.settings import KafkaSettings
from connectors.local import LocalStack
from connectors.local.ports import free
from connectors.simulator.workspace.teammates import BOT_ID
from schemas.codec import Avro
from streams.agents.topology import source_topics
from streams.ops.generations.live import agents_lag
from tests.faults.fleet import Fleet
from tests.faults.sync.outages import Outages
from tests.support.config import config_text, write_config
from tests.support.engines import latest
from tests.support.ingress import Ingress, started
from tests.support.simulator.expected import ACTIVE, wrong_by_themselves, wrong_memberships, wrong_organisations, wrong_people
from tests.support.simulator.process import SimulatedProcess, simulated_process

APP, SECRET, TOKEN = "abc12345", "secret", "simulated-token"
USUAL = ("contact.update", "contact.create", "contact.attach", "contact.detach", "company.update", "company.create")
KINDS = (*USUAL, *USUAL, "contact.archive", "contact.unarchive", "contact.delete", "contact.merge", "company.delete")
"""What happens. While nothing is lost it is the usual: a merge is not known where its survivor is gone before its history is read."""
_SPEED = 60  # a retry comes after a second in place of a minute
_LOST, _DUPLICATED, _DISORDER = 0.05, 0.2, 20
_APART_S = 1.05  # what contradicts itself within a second is `unsettled` until it is read by its id
_CALLS_A_ROUND = 100  # of a first reading, for five changes: far fewer than a scroll's next page may have to wait for
_WITH_CONVERSATIONS = 2_000  # contacts up to which they are read too: those of 5,000 have 60,000 parts, and none is compared here
_COMPARED = ("teammates", "contacts", "companies", "teams", "tags", "segments", "data-attributes", "articles", "activity-log")
_BROKER_SESSION_S = 6  # as connectors/local has it
_SETTLED_S = 300  # a change this old has no webhook that may still come
_AVRO = Avro.local()


class SyncCampaign:
    """One workspace, and an installation that was connected late. The seed decides all but the timing."""

    def __init__(
        self,
        stack: LocalStack,
        prefix: str,
        folder: Path,
        seed: int,
        *,
        contacts: int,
        changes: int,
        outages: Outages,
        note: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.settings = KafkaSettings(bootstrap=stack.addresses.kafka, topic_prefix=prefix, partitions=2)
        self.done: Counter[str] = Counter()
        self._stack, self._folder, self._chance = stack, folder, random.Random(seed)
        self._seed, self._contacts, self._changes = seed, contacts, changes
        self._port = free(set())
        self._outages = outages
        self._patience_s = 120 + contacts / 50  # without any progress, where that can be seen
        self._known: set[str] = set()
        self._note, self._since = note, time.monotonic()

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in self.done.items())

    async def run(self) -> None:
        """Connect late, read, lose webhooks in every way, read again."""
        hook = f"http://127.0.0.1:{self._port}/webhooks/intercom"
        options = ("--app-id", APP, "--seed", str(self._seed), "--contacts", str(self._contacts), "--limit", "100000")
        faults = ("--fault", f"duplicated={_DUPLICATED}", "--fault", f"disorder={_DISORDER}")
        sends = ("--webhook-url", hook, "--client-secret", SECRET, "--speed", str(_SPEED))
        with simulated_process(self._folder, *options, *faults, *sends) as intercom:
            config = self._configured(intercom.url)
            await self._command(config, "topics", "apply")
            with self._running(config, "worker") as workers, self._running(config, "sync") as sync:
                with self._receiving(config):
                    await self._connected(config, intercom)
                    await self._lost_on_the_way(intercom, workers)
                await self._without_ingress(intercom)
                with self._receiving(config) as ingress:
                    await self._without_kafka(intercom)
                    await self._quiet(intercom)
                    await asyncio.to_thread(ingress.wait_until_drained, self._patience_s)
                    await self._read_again(config, intercom, sync)

    def _done(self, what: str) -> None:
        """Note how long a part of the campaign took."""
        now = time.monotonic()
        self._note(f"{now - self._since:6.0f} s: {what}")
        self._since = now

    async def _connected(self, config: Path, intercom: SimulatedProcess) -> None:
        """Read the workspace for the first time, while its webhooks flow."""
        objects = () if self._contacts <= _WITH_CONVERSATIONS else _COMPARED
        reading = asyncio.create_task(
            self._command(config, "backfill", "--json", *(word for each in objects for word in ("--object", each)))
        )
        while not reading.done():
            await self._change(intercom, 5, USUAL)
            await self._more_calls(intercom, reading)
        await reading
        self._done("the first reading")
        await self._quiet(intercom)
        await self._idle()
        self._done("the workers are up to date")
        await self._until_true(intercom, "after the first reading")
        self._done("the tables are right")
        self._known = {each["id"] for each in await self._truth(intercom, "contacts") if each["state"] == ACTIVE}

    async def _more_calls(self, intercom: SimulatedProcess, reading: asyncio.Task[Any]) -> None:
        """Wait until the reading has made more calls: changes move Intercom's clock, and a scroll may pause for a minute by it."""
        before = intercom.counts()["rest"]["calls"]
        while not reading.done() and intercom.counts()["rest"]["calls"] < before + _CALLS_A_ROUND:  # noqa: ASYNC110  # the simulator sets no event
            await asyncio.sleep(0.2)

    async def _lost_on_the_way(self, intercom: SimulatedProcess, workers: Fleet) -> None:
        """Lose webhooks while workers are killed."""
        intercom.fault(lost=_LOST)
        for _ in range(2):
            await self._change(intercom, self._changes // 2)
            await asyncio.sleep(self._chance.uniform(0, 2))
            workers.kill(0)
            workers.start()
            self.done["kills of the worker"] += 1
        intercom.fault(lost=0.0)
        await self._quiet(intercom)
        self._done("webhooks were lost")

    async def _without_ingress(self, intercom: SimulatedProcess) -> None:
        """Change things while nobody answers: each webhook fails twice, and is dropped. A teammate leaves, another changes role."""
        await self._change(intercom, self._changes // 4)
        intercom.change(kind="teammate.remove")
        intercom.change(kind="teammate.role")
        await asyncio.sleep(self._outages.ingress_s)
        await self._quiet(intercom)
        self._done("no ingress")

    async def _without_kafka(self, intercom: SimulatedProcess) -> None:
        """Freeze the broker, or for a long time kill it: webhooks are spooled meanwhile.

        A single broker that stood still for longer than its session lost markers of a transaction (docs/decisions.md).
        """
        frozen = self._outages.kafka_s < _BROKER_SESSION_S
        await asyncio.to_thread(self._stack.pause_broker if frozen else self._stack.kill_broker, 1)
        try:
            await self._change(intercom, self._changes // 4)
            await asyncio.sleep(self._outages.kafka_s)
        finally:
            await asyncio.to_thread(self._stack.resume_broker if frozen else self._stack.start_broker, 1)
        self._done("no Kafka")

    async def _read_again(self, config: Path, intercom: SimulatedProcess, sync: Fleet) -> None:
        """Resync, and reconcile what no list shows: each object that was wrong has to be repaired, and no other."""
        lost = Counter(each["reason"] for each in await self._truth(intercom, "undelivered"))
        self.done.update({f"webhooks {reason}": count for reason, count in lost.items()})
        assert lost, "no webhook was lost: the campaign proves nothing"
        assert await self._wrong(intercom), "nothing differs before the resync: the campaign proves nothing"
        self._done("what was lost is known")
        intercom.advance(_SETTLED_S)
        await self._command(config, "resync", "--json")
        self._done("the resync")
        await self._idle()
        await asyncio.to_thread(sync.stop, 0)  # it reads some of them again by itself
        await self._idle()
        self._done("the workers are up to date")
        wrong = [await self._wrong_contacts(intercom), await self._wrong_companies(intercom)]
        (report,) = await self._command(config, "reconcile", "--json")
        sync.start()
        self._done("the reconciliation")
        await self._idle()
        await self._until_true(intercom, "after the reconciliation")
        self._done("the tables are right")
        for kind, before in zip(("contacts", "companies"), wrong, strict=True):
            found, objects = report["objects"][kind], wrong_by_themselves(before)
            self.done[f"{kind} repaired"] = found["repaired"]
            assert found["complete_after"] == 100, found
            assert found["repaired"] == len(objects), (found, before)
        await self._idle()
        (again,) = await self._command(config, "reconcile", "--json")
        assert {kind: each["repaired"] for kind, each in again["objects"].items() if each["repaired"]} == {}, (again, report)
        self._done("nothing is left for a second reconciliation")

    async def _idle(self) -> None:
        """Wait until no agent is behind, however long that takes while they come closer."""
        least, deadline = None, time.monotonic() + self._patience_s
        async with agents_lag(self.settings, source_topics()) as lags:
            while any((behind := await lags()).values()):
                left = sum(behind.values())
                if least is None or left < least:
                    least, deadline = left, time.monotonic() + self._patience_s
                assert time.monotonic() < deadline, f"agents are behind, and come no closer: {behind}"
                await asyncio.sleep(0.5)

    async def _change(self, intercom: SimulatedProcess, count: int, kinds: Sequence[str] = KINDS) -> None:
        for _ in range(count):
            made = await asyncio.to_thread(intercom.change, 1, self._chance.choice(kinds), apart_s=_APART_S)
            self.done["changes"] += len(made)

    async def _quiet(self, intercom: SimulatedProcess) -> None:
        """Wait until no webhook is due any more."""
        deadline = time.monotonic() + self._patience_s
        while (standing := await asyncio.to_thread(intercom.subscription))["waiting"]:
            assert time.monotonic() < deadline, f"webhooks still wait: {standing}"
            await asyncio.sleep(0.2)

    async def _until_true(self, intercom: SimulatedProcess, when: str) -> None:
        deadline = time.monotonic() + self._patience_s
        while wrong := await self._wrong(intercom):
            assert time.monotonic() < deadline, f"{when}: {len(wrong)} wrong, such as {wrong[:5]}"
            await asyncio.sleep(0.5)

    async def _wrong(self, intercom: SimulatedProcess) -> list[str]:
        """Return what the tables have that is not the truth."""
        return [
            *await self._wrong_contacts(intercom),
            *await self._wrong_companies(intercom),
            *wrong_memberships(APP, await self._truth(intercom, "contacts"), (await self._rows("memberships")).values()),
            *await self._wrong_teammates(intercom),
        ]

    async def _wrong_contacts(self, intercom: SimulatedProcess) -> list[str]:
        return wrong_people(APP, await self._truth(intercom, "contacts"), await self._rows("people"), self._known)

    async def _wrong_companies(self, intercom: SimulatedProcess) -> list[str]:
        return wrong_organisations(APP, await self._truth(intercom, "companies"), await self._rows("orgs"))

    async def _wrong_teammates(self, intercom: SimulatedProcess) -> list[str]:
        """Return for whom access is not as it is: C1 fails for each teammate but Intercom's bot, since there is no staff directory."""
        truth = {each["id"] for each in await self._truth(intercom, "teammates") if each["id"] != str(BOT_ID)}
        rows = (await self._rows("access.state")).values()
        found = {row["account"] for row in rows if row["check"] == "C1" and row["result"] == "FAIL"}
        return [f"teammate {each} is in one of table and truth alone" for each in truth ^ found]

    async def _rows(self, topic: str) -> dict[str, Any]:
        return {key: _AVRO.decode(value)[1] for key, value in (await latest(self.settings, topic)).items()}

    async def _truth(self, intercom: SimulatedProcess, kind: str) -> list[dict[str, Any]]:
        return await asyncio.to_thread(intercom.truth, kind)

    def _configured(self, api: str) -> Path:
        keys = {"app": "support", "api_url": api, "access_token": TOKEN}
        text = config_text(
            kafka={"bootstrap": self.settings.bootstrap, "topic_prefix": self.settings.topic_prefix, "partitions": 2},
            sync={"heartbeat_minutes": 0},  # what a silence makes it read is not counted here
            redis={"url": self._stack.addresses.redis},
            ingress={"listen": f"127.0.0.1:{self._port}", "spool": "spool"},
            worker={"session_timeout_ms": 6_000},
            apps={"support": (SECRET,)},
            tenants={"acme": {APP: keys}},
        )
        return write_config(self._folder, text)

    @contextlib.contextmanager
    def _running(self, config: Path, verb: str) -> Iterator[Fleet]:
        folder = self._folder / verb
        folder.mkdir()
        fleet = Fleet(["-m", "streams.cli", verb, "--config", str(config)], folder, {"KAFKA_BOOTSTRAP": ""})
        fleet.start()
        try:
            yield fleet
        except AssertionError as wrong:
            raise AssertionError(f"{wrong}\nafter {self}\n{verb}: {fleet.log_tails()}") from wrong
        finally:
            fleet.close()

    @contextlib.contextmanager
    def _receiving(self, config: Path) -> Iterator[Ingress]:
        ingress = started(config)
        try:
            yield ingress
        finally:
            ingress.stop()

    async def _command(self, config: Path, *words: str) -> list[dict[str, Any]]:
        """Run a command of the product; return what it prints with `--json`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.cli", *words, "--config", str(config), env={**os.environ, "KAFKA_BOOTSTRAP": ""},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            printed, errors = await process.communicate()
        finally:
            if process.returncode is None:  # the campaign was broken off
                process.kill()
        assert process.returncode == 0, f"{' '.join(words)}: {errors.decode()[-2000:]}"
        return [json.loads(line) for line in printed.splitlines() if line.startswith(b"{")]
