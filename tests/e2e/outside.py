"""An installation driven from outside: a configuration file, the product's command line, HTTP posts and a Kafka client."""

import contextlib
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config

ROOT = Path(__file__).parents[2]
SECRET = "outside-secret"
APP_ID = "out12345"


class Installation:
    """A running product."""

    def __init__(self, folder, kafka, prefix, *, scim_token=None):
        self.folder, self.kafka, self.prefix = folder, kafka, prefix
        self.ingress, self.worker, self.scim = free_port(), free_port(), free_port()
        text = config_text(
            kafka={"bootstrap": kafka, "topic_prefix": prefix},
            ingress={"listen": f"127.0.0.1:{self.ingress}"},
            worker={"listen": f"127.0.0.1:{self.worker}"},
            apps={"support": ("older-secret", SECRET)},
            tenants={"acme": {APP_ID: "support"}},
            **({"scim": {"listen": f"127.0.0.1:{self.scim}"}} if scim_token else {}),
        )
        provider = f'[[tenants.scim]]\nsource = "okta"\ntokens = ["{scim_token}"]\n' if scim_token else ""
        self.config = write_config(folder, f'{text}[[tenants.sources]]\nname = "crm"\n{provider}')
        self.log = folder / "run.log"
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(DEADLINE_S)

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command("--config", str(self.config), "run"), stdout=log, stderr=log, env=environment(), cwd=ROOT
            )

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)

    def kill(self, verb):
        """End the process of a verb as a power failure would."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (pid,) = [
            pid for pid in children if Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").endswith(b"\0" + verb.encode())
        ]
        os.kill(int(pid), signal.SIGKILL)

    def wait_until_ready(self, port):
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{port}/ready").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text()[-4000:])

    def post(self, body, secret=SECRET):
        signature = "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()
        url = f"http://127.0.0.1:{self.ingress}/webhooks/intercom"
        return httpx.post(
            url, content=body, headers={"X-Hub-Signature": signature, "Content-Type": "application/json"}
        ).status_code

    def run(self, *words):
        return subprocess.run(
            command("--config", str(self.config), *words), cwd=ROOT, env=environment(), capture_output=True, text=True, check=False,
            timeout=DEADLINE_S,
        )  # fmt: skip

    def tail(self, topic):
        """Return the records of a topic as `tail --json` shows them."""
        done = self.run("tail", topic, "--json", "--from", "beginning", "--idle-exit", "2")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    async def wait_for(self, topic, is_wanted):
        """Return the first committed record of a topic that the predicate accepts."""
        consumer = AIOKafkaConsumer(
            f"{self.prefix}{topic}", bootstrap_servers=self.kafka, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            deadline = time.monotonic() + DEADLINE_S
            while time.monotonic() < deadline:
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        if is_wanted(record):
                            return record
        finally:
            await consumer.stop()
        raise AssertionError(f"{topic}: not seen within {DEADLINE_S} s\n{self.log.read_text()[-3000:]}")

    async def value_at(self, topic, partition, offset):
        partition_at = TopicPartition(f"{self.prefix}{topic}", partition)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await consumer.start()
        try:
            consumer.assign([partition_at])
            consumer.seek(partition_at, offset)
            return (await consumer.getone(partition_at)).value
        finally:
            await consumer.stop()


def command(*words):
    return [sys.executable, "-m", "streams.cli", *words]


def environment():
    return {name: value for name, value in os.environ.items() if name not in ("KAFKA_BOOTSTRAP", "INTERCOM_STREAMS_CONFIG")}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def admin_event(verb, *, number, email, at_s, app_id=APP_ID):
    """Return the bytes of a teammate's webhook in Intercom's format."""
    return json.dumps({
        "type": "notification_event", "app_id": app_id, "id": f"notif_{uuid.uuid4()}", "topic": f"admin.{verb}", "created_at": at_s,
        "data": {"type": "notification_event_data", "item": {"type": "admin", "id": number, "name": "A Teammate", "email": email}},
        "links": {}, "delivery_status": "pending", "delivery_attempts": 1, "delivered_at": 0, "first_sent_at": at_s, "self": None,
    }, indent=1).encode()  # fmt: skip
