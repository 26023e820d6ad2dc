"""The ingress as a process, started from a configuration file, on a real Kafka."""

import asyncio
import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from connectors.intercom.ingress.signature import CALLBACK
from connectors.spool.claims import damaged_files
from tests.patience import DEADLINE_S
from tests.support.ingress import NOBODY, configured, connected, exchange, ids, landed, make_topics, post_all, request, running
from tests.support.posts import SECRET, notification, signed

pytestmark = pytest.mark.asyncio


def wait_until(condition: Callable[[], object], within: float = DEADLINE_S) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def posted(url: str, count: int, first: int = 0) -> set[str]:
    bodies = {f"notif_{number}": notification(number) for number in range(first, first + count)}
    return {name async for name in post_all(url, bodies, connections=8)}


async def post_status(url: str, body: bytes, headers: dict[str, str]) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.post(url, content=body, headers=headers)).status_code


async def get_status(url: str) -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


async def test_every_kind_of_post_lands_byte_for_byte(kafka: str, prefix: str, tmp_path: Path) -> None:
    await make_topics(kafka, prefix)
    packed = gzip.compress(notification(3))
    posts = [
        (notification(1), signed(notification(1))),
        (packed, signed(packed, **{"content-encoding": "gzip"})),
        (notification(4, "ping", id=None), signed(notification(4, "ping", id=None))),
        (notification(5, app_id="nobody"), signed(notification(5, app_id="nobody"))),
        (b"\xff not json", signed(b"\xff not json")),
    ]
    with running(configured(tmp_path, kafka, prefix)) as ingress:
        assert {await post_status(ingress.url, body, headers) for body, headers in posts} == {200}
        callback = await post_status(f"{ingress.url}/callback", b"{}", signed(b"{}", SECRET, CALLBACK))
        assert callback == 200
        assert await post_status(ingress.url, b"{}", signed(b"{}", "wrong")) == 401
        assert await get_status(ingress.url) == 200
        ingress.wait_until_drained()
    assert sorted(record.value for record in await landed(kafka, prefix)) == sorted([body for body, _ in posts] + [b"{}"])


async def test_a_stop_finishes_what_was_accepted_and_ends_with_0(kafka: str, prefix: str, tmp_path: Path) -> None:
    await make_topics(kafka, prefix, ["intercom.contacts"])
    with running(configured(tmp_path, kafka, prefix)) as ingress:
        body = notification(1)
        async with connected(ingress.url) as (reader, writer):
            whole = request(body, signed(body))
            writer.write(whole[:-10])
            await writer.drain()
            await asyncio.sleep(0.2)
            ingress.process.terminate()
            await asyncio.sleep(0.2)
            assert await exchange(reader, writer, whole[-10:]) == 200
        assert await asyncio.to_thread(ingress.process.wait, 30) == 0
    with running(configured(tmp_path, kafka, prefix)) as ingress:
        ingress.wait_until_drained()
    assert ids(await landed(kafka, prefix, ["intercom.contacts"])) == {"notif_1"}


async def test_without_kafka_posts_are_kept_and_the_ingress_is_ready_and_says_what_is_wrong(tmp_path: Path) -> None:
    with running(configured(tmp_path, NOBODY, "x.")) as ingress:
        assert len(await posted(ingress.url, 50)) == 50
        assert await get_status(f"{ingress.root}/ready") == 200
        assert ingress.ready()["kafka"] == "slow or away"
        assert any("Kafka cannot be reached" in sentence for sentence in ingress.degraded())
        assert ingress.metric("ingress_kept_total", where="spool") == 50
        assert ingress.metric("ingress_spool_bytes") > 0
        assert await get_status(f"{ingress.root}/health") == 200
        assert await get_status(f"{ingress.root}/nothing") == 404
        assert ingress.stop() == 0


async def test_a_missing_topic_is_named_and_its_posts_follow_when_it_is_there(kafka: str, prefix: str, tmp_path: Path) -> None:
    with running(configured(tmp_path, kafka, prefix)) as ingress:
        assert len(await posted(ingress.url, 5)) == 5
        wait_until(lambda: any(f"{prefix}intercom.contacts is missing" in sentence for sentence in ingress.degraded()))
        await make_topics(kafka, prefix)
        ingress.wait_until_drained()
        assert len(await posted(ingress.url, 5, first=5)) == 5
        ingress.wait_until_drained()
    assert len(ids(await landed(kafka, prefix))) == 10


async def test_several_processes_share_the_port_their_numbers_and_the_blame(kafka: str, prefix: str, tmp_path: Path) -> None:
    await make_topics(kafka, prefix, ["intercom.contacts"])
    with running(configured(tmp_path, kafka, prefix), "--processes", "2") as ingress:
        assert len(await posted(ingress.url, 200)) == 200
        wait_until(lambda: ingress.metric("ingress_answers_total", status="200") >= 200)
        first, second = children(ingress.process.pid)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(children(ingress.process.pid)) == 2 and first not in children(ingress.process.pid))
        wait_until(lambda: "it is started again" in ingress.log.read_text())
        assert len(await posted(ingress.url, 200, first=200)) >= 199, "a connection to the dead one may have been refused"
        assert ingress.stop() == 0
        wait_until(lambda: not alive(second))
    with running(tmp_path / "intercom-streams.toml") as ingress:
        ingress.wait_until_drained()
    assert len(ids(await landed(kafka, prefix, ["intercom.contacts"]))) >= 399


async def test_processes_do_not_outlive_the_one_that_watches_them(tmp_path: Path) -> None:
    with running(configured(tmp_path, NOBODY, "x."), "--processes", "2") as ingress:
        workers = children(ingress.process.pid)
        assert len(workers) == 2
        ingress.kill()
        wait_until(lambda: not any(alive(pid) for pid in workers))


async def test_the_file_of_a_dead_process_is_adopted_and_a_damaged_one_is_kept_and_reported(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    await make_topics(kafka, prefix, ["intercom.contacts"])
    with running(configured(tmp_path, NOBODY, prefix)) as ingress:
        answered = await posted(ingress.url, 20)
        ingress.kill()
    spool = tmp_path / "spool"
    (spool / "ingress-0.spool").rename(spool / "ingress-7.spool")
    (spool / "ingress-0.spool-wal").rename(spool / "ingress-7.spool-wal")
    (spool / "ingress-8.spool").write_bytes(b"SQLite format 3\x00" + b"\xa5" * 8000)
    (spool / "ingress-0.spool").write_bytes(b"torn" * 1000)
    with running(configured(tmp_path, kafka, prefix)) as ingress:
        ingress.wait_until_drained()
        wait_until(lambda: len(damaged_files(spool)) == 2)
        sentences = ingress.degraded()
        assert len([sentence for sentence in sentences if "moved aside" in sentence]) == 2
        assert ingress.metric("ingress_spool_damaged_total") == 2
    assert answered <= ids(await landed(kafka, prefix, ["intercom.contacts"]))


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--listen", "nonsense"], "ingress.listen"), (["--listen", "127.0.0.1:99999"], "ingress.listen"),
     (["--listen", "203.0.113.1:8080"], "cannot listen")],
)  # fmt: skip
async def test_an_address_that_cannot_be_is_one_paragraph_and_no_traceback(
    tmp_path: Path, options: list[str], words: str
) -> None:
    command = [sys.executable, "-m", "streams.cli", "ingress", "--config", str(configured(tmp_path, NOBODY, "x.")), *options]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert ended.returncode != 0
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with running(configured(tmp_path, NOBODY, "x.")) as ingress:
        address = ingress.root.removeprefix("http://")
        for more in ([], ["--processes", "2"]):
            command = [sys.executable, "-m", "streams.cli", "ingress", "--config", str(tmp_path / "intercom-streams.toml")]
            ended = await asyncio.to_thread(
                subprocess.run,
                [*command, "--listen", address, *more],
                capture_output=True,
                text=True,
                timeout=DEADLINE_S,
                check=False,
            )
            assert ended.returncode != 0
            assert address in ended.stderr


async def test_logs_show_no_secret_no_signature_and_nothing_of_a_person(tmp_path: Path) -> None:
    with running(configured(tmp_path, NOBODY, "x.")) as ingress:
        for body in (notification(1), b"not json person9@example.com"):
            for secret in (SECRET, "wrong"):
                await post_status(ingress.url, body, signed(body, secret))
        assert await post_status(ingress.url, b"x" * 2_000_000, signed(b"")) == 413
        assert ingress.stop() == 0
        log = ingress.log.read_text()
    assert "listening" in log
    assert not any(word in log for word in ("example.com", "sha1=", SECRET, "notif_1", "person"))
