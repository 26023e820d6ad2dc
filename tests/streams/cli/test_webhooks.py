"""An operator looks at endpoints, pauses and resumes them, and tries them; and the receiver of the documents accepts what is posted."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from connectors.kafka.settings import KafkaSettings
from streams.cli.main import root
from streams.cli.verbs import run
from tests.streams.cli.installation import Installation
from tests.support.config import config_text, write_config
from tests.support.webhooks.campaign import TOPICS, configuration
from tests.support.webhooks.receiver import SECRET, receiving, verified

DOCUMENT = (Path(__file__).parents[3] / "docs" / "subscribers.md").read_text()


@pytest.fixture
def installation(kafka, prefix, tmp_path):
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, list(TOPICS))


def configured(installation, port, more=""):
    installation.config = configuration(installation.kafka, installation.config.parent, port, more)
    return installation


def test_an_endpoint_is_listed_paused_resumed_and_the_journal_has_both(installation):
    configured(installation, 1)
    (row,) = installation.printed("webhooks", "list")
    assert (row["endpoint"], row["tenant"], row["state"], row["since"], row["behind"]) == ("pager", "acme", "active", None, 0)
    (paused,) = installation.printed("webhooks", "pause", "pager", "--reason", "it is moved")
    assert (paused["state"], paused["reason"]) == ("paused", "it is moved")
    assert "pager of acme: paused since" in installation.types("webhooks", "list").stdout
    assert installation.printed("webhooks", "pause", "pager")[0]["since"] == paused["since"], "it is paused already"
    assert installation.printed("webhooks", "resume", "pager")[0]["state"] == "active"
    assert [each.details["state"] for each in installation.operations()] == ["paused", "active"]
    assert "nobody delivers to endpoint acme|pager" in installation.types("doctor", "deliveries", "--json").stdout


def test_an_endpoint_is_tried_with_a_signed_event(installation):
    with receiving() as receiver:
        configured(installation, receiver.port)
        (trial,) = installation.printed("webhooks", "try", "pager")
        assert trial["result"] == "accepted"
        (post,) = receiver.posts
        assert verified(post)
        assert post.event["type"] == "webhook.test"
        receiver.answer = lambda _: 403
        failed = installation.types("webhooks", "try", "pager")
    assert failed.exit_code == 1
    assert "answered 403" in str(failed.exception)


@pytest.mark.parametrize("words", [("pause", "nobody"), ("resume", "pager", "--tenant", "other"), ("try", "nobody")])
def test_an_unknown_endpoint_is_named_with_the_known_ones(installation, words):
    failed = configured(installation, 1).types("webhooks", *words)
    assert "known: " in str(failed.exception)


def test_a_name_that_two_tenants_have_needs_the_tenant(installation):
    more = f'[[tenants]]\nid = "beta"\n[[tenants.webhooks]]\nname = "pager"\nurl = "https://x.example/"\nsecrets = ["{SECRET}"]\n'
    failed = configured(installation, 1, more).types("webhooks", "pause", "pager")
    assert "add --tenant acme or --tenant beta" in str(failed.exception)


def test_without_anything_to_deliver_the_process_says_so(installation):
    installation.config.write_text(config_text())
    assert "no tenant has [[tenants.webhooks]]" in str(installation.types("deliver").exception)


def test_the_receiver_of_the_documents_runs_as_printed(installation, tmp_path):
    (code,) = re.findall(r"<!-- receiver -->\n```python\n(.*?)```", DOCUMENT, re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    configured(installation, port)
    environment = {**os.environ, "PAGER_SECRET": SECRET, "PORT": str(port)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL) as receiver:
        try:
            deadline = time.monotonic() + 60
            while installation.types("webhooks", "try", "pager").exit_code:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            receiver.kill()
        finally:
            receiver.kill()
    environment["PAGER_SECRET"] = "whsec_" + "A" * 44
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL) as stranger:
        try:
            deadline = time.monotonic() + 60
            while "answered 401" not in str(installation.types("webhooks", "try", "pager").exception):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            stranger.kill()


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", ()),
        (f'[[tenants.webhooks]]\nname = "a"\nurl = "https://x.example/"\nsecrets = ["{SECRET}"]\n', ("deliver",)),
        ('[[tenants.event_files]]\npath = "a.jsonl"\n', ("deliver",)),
    ],
)
def test_run_starts_deliver_where_there_is_something_to_deliver(tmp_path, monkeypatch, table, expected):
    asked = []

    async def supervise(config, count, notify, servers, readers):
        asked.append(readers)
        return 0

    monkeypatch.setattr(run, "_supervise", supervise)
    config = write_config(tmp_path, config_text() + table)
    result = CliRunner().invoke(root, ["run", "--config", str(config)])
    assert (result.exit_code, asked) == (0, [expected])
