"""`connect`: each thing that a workspace needs is named, with what to click where it is missing."""

import asyncio
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas.errors import BadConfiguration
from schemas.intercom.routes import ROUTES, route_of
from streams.cli.main import root
from streams.cli.verbs.connect import ConnectStep, shown_step
from streams.core.conversations.topics import OWN
from streams.ops.connect.subscriptions import SUBSCRIPTIONS
from tests.support.ingress import NOBODY, configured, make_topics, running
from tests.support.simulator.small_intercom import SmallIntercom

OTHERS = (
    "/admins/activity_logs",
    "/conversations",
    "/tickets/search",
    "/teams",
    "/tags",
    "/segments",
    "/data_attributes",
    "/articles",
    "/companies/list",
)


class WholeIntercom(SmallIntercom):
    """Answers the other reads too, with empty lists."""

    def answer(self, method: str, url: str, content: bytes) -> tuple[int, Any]:
        status, body = super().answer(method, url, content)
        return (200, {"data": []}) if status == 404 and any(f"{path}" in url for path in OTHERS) else (status, body)


@pytest.fixture
def intercom() -> Iterator[tuple[WholeIntercom, str]]:
    intercom = WholeIntercom(app_id="ws1")
    with intercom.served() as url:
        yield intercom, url


def with_token(config: Path, url: str) -> Path:
    text = config.read_text().replace('app_id = "ws1"', f'app_id = "ws1"\naccess_token = "t"\napi_url = "{url}"')
    config.write_text(text)
    return config


def typed(config: Path, *words: str) -> Result:
    return CliRunner().invoke(root, ["connect", "--workspace", "ws1", *words, "--config", str(config)])


def steps(result: Result) -> dict[str, dict[str, str]]:
    return {step["step"]: step for step in map(json.loads, result.stdout.splitlines())}


def test_a_workspace_that_has_everything_is_ok_and_its_post_is_found_on_its_topic(
    intercom, kafka: str, prefix: str, tmp_path: Path
):
    config = with_token(configured(tmp_path, kafka, prefix), intercom[1])
    asyncio.run(make_topics(kafka, prefix))
    with running(config) as ingress:
        result = typed(config, "--url", ingress.url, "--json")
    found = steps(result)
    assert result.exit_code == 0, result.output
    assert found["test post"]["text"].startswith("answered 200, and it is on intercom.other, partition")
    assert found["token"]["text"] == "it is that of Acme, in the region us"
    assert {step["state"] for name, step in found.items() if name.startswith("read ")} == {"ok"}
    assert "/webhooks/intercom in Developer Hub > your app > Webhooks" in found["webhook"]["text"]


def test_what_the_token_may_not_read_is_named_and_only_what_is_needed_fails(intercom, tmp_path: Path):
    config = with_token(configured(tmp_path, NOBODY, ""), intercom[1])
    intercom[0].before = lambda path: 403 if path in ("/conversations", "/tickets/search") else None
    result = typed(config, "--no-post", "--json")
    found = steps(result)
    assert (result.exit_code, found["read conversations"]["state"], found["read contacts"]["state"]) == (0, "missing", "ok")
    intercom[0].before = lambda path: 403 if path == "/contacts" else None
    result = typed(config, "--no-post", "--json")
    assert (result.exit_code, steps(result)["read contacts"]["state"]) == (1, "failed")


@pytest.mark.parametrize(
    ("status", "app_id", "words"),
    [(401, "ws1", "copy the token from Developer Hub"), (None, "other", "belongs to the workspace other")],
)
def test_a_token_that_is_refused_or_another_workspace_s_says_what_to_do(intercom, tmp_path: Path, status, app_id, words):
    config = with_token(configured(tmp_path, NOBODY, ""), intercom[1])
    intercom[0].before, intercom[0].app_id = (lambda _: status), app_id
    result = typed(config, "--no-post")
    assert result.exit_code == 1
    assert words in result.stdout


def test_without_a_token_it_says_where_to_find_one(tmp_path: Path):
    result = typed(configured(tmp_path, NOBODY, ""), "--no-post")
    assert result.exit_code == 1
    assert "Developer Hub > your app > Configure > Authentication shows it" in result.stdout


def test_a_workspace_that_is_not_configured_gets_the_lines_to_add(tmp_path: Path):
    result = CliRunner().invoke(root, ["connect", "--workspace", "new1", "--config", str(configured(tmp_path, NOBODY, ""))])
    assert isinstance(result.exception, BadConfiguration)
    added = tomllib.loads(str(result.exception).partition("\n\n")[2])["tenants"]
    assert added["workspaces"] == [{"app_id": "new1", "app": "support", "region": "us", "access_token": "${INTERCOM_TOKEN:-}"}]


def test_what_is_to_be_done_in_intercom_is_not_said_to_be_done_and_what_failed_comes_last(intercom, tmp_path: Path):
    config = with_token(configured(tmp_path, NOBODY, ""), intercom[1])
    intercom[0].before = lambda path: 403 if path == "/contacts" else None
    result = typed(config, "--no-post")
    assert result.stderr.splitlines()[-1] == "failed: read contacts"
    assert {line[:7] for line in result.stdout.splitlines() if " topics for " in line} == {"to do  "}


def test_a_terminal_gets_lines_of_its_width_with_whole_names():
    step = ConnectStep(step="topics", state="todo", text=f"subscribe to {', '.join(SUBSCRIPTIONS[1].topics)}")
    lines = shown_step(step, 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert {line[:9] for line in lines[1:]} == {" " * 9}
    assert "".join(lines).count("contact.user.tag.created") == 1
    assert shown_step(step, None).splitlines() == [shown_step(step, None)]


def test_an_ingress_with_another_secret_is_named(intercom, kafka: str, prefix: str, tmp_path: Path):
    config = with_token(configured(tmp_path, kafka, prefix), intercom[1])
    asyncio.run(make_topics(kafka, prefix))
    with running(config) as ingress:
        config.write_text(config.read_text().replace("client_secrets = [", 'client_secrets = ["another", '))
        result = typed(config, "--url", ingress.url, "--json")
    assert result.exit_code == 1
    assert "answered 401" in steps(result)["test post"]["text"]


def test_nobody_at_the_address_is_a_failed_step(intercom, kafka: str, prefix: str, tmp_path: Path):
    config = with_token(configured(tmp_path, kafka, prefix), intercom[1])
    asyncio.run(make_topics(kafka, prefix))
    result = typed(config, "--url", "http://127.0.0.1:1", "--json")
    assert result.exit_code == 1
    assert "Nobody answers" in steps(result)["test post"]["text"]


def test_every_topic_to_subscribe_to_is_one_that_an_agent_reads():
    for topic in (topic for each in SUBSCRIPTIONS for topic in each.topics):
        route = route_of(topic)
        assert route is not None, topic
        assert route.topic in (
            "intercom.contacts",
            "intercom.companies",
            "intercom.admins",
            "intercom.conversations",
            "intercom.activities",
            "activity.events",
        )


def test_every_topic_about_a_contact_or_a_company_is_to_be_subscribed_to_but_those_of_version_1_and_other_spellings():
    of_version_1 = {"created", "updated", "signed_up", "added_email", "tag.created", "tag.deleted"}
    older = {f"contact.{each}" for each in of_version_1} | {"contact.archive", "contact.unarchive"}
    current = {topic for topic in ROUTES if not topic.startswith("user.")} - older
    assert current - {topic for each in SUBSCRIPTIONS for topic in each.topics} == set()


def test_every_topic_that_changes_a_conversation_is_to_be_subscribed_to():
    assert OWN.keys() - {topic for each in SUBSCRIPTIONS for topic in each.topics} == set()
