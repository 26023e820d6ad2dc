"""The simulated company: the same for the same seed, signed and delivered as Intercom does."""

import hashlib
import hmac
import json
from collections import Counter

import httpx
import pytest

from connectors.simulator.delivery import WINDOW, deliver
from connectors.simulator.history import Scene, SimulatedPost, SimulatedStaff, StaffFileStep, as_csv
from connectors.simulator.post import app_of, callback_headers, post, webhook_headers
from connectors.simulator.scenarios import SCENARIOS, about
from schemas.errors import Unavailable
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace

SCENE = Scene(app_id="abc12345", start_ms=1_767_603_600_000)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name):
    history = list(SCENARIOS[name](SCENE))
    assert history == list(SCENARIOS[name](SCENE))
    assert history != list(SCENARIOS[name](Scene(app_id=SCENE.app_id, start_ms=SCENE.start_ms, seed=2)))
    assert about(name)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_post_names_workspace_topic_and_an_id_of_its_own(name):
    posts = [step for step in SCENARIOS[name](SCENE) if isinstance(step, SimulatedPost)]
    bodies = {step.body: json.loads(step.body) for step in posts}
    assert {body["app_id"] for body in bodies.values()} == {"abc12345"}
    assert all(bodies[step.body]["topic"] == step.topic for step in posts)
    assert len({body["id"] for body in bodies.values()}) == len(bodies)


def test_disorder_brings_the_same_posts_in_another_order_and_some_twice():
    posts = [step for step in SCENARIOS["company"](SCENE) if isinstance(step, SimulatedPost)]
    arrived = [step for step in SCENARIOS["disorder"](SCENE) if isinstance(step, SimulatedPost)]
    assert set(arrived) == set(posts)
    assert len(arrived) > len(posts)
    assert list(dict.fromkeys(arrived)) != posts


def test_nothing_overtakes_a_staff_file():
    file = StaffFileStep((), "the file", 50)
    early = [SimulatedPost("t", b"early%d" % number, "", number) for number in range(20)]
    late = [SimulatedPost("t", b"late%d" % number, "", 100 + number) for number in range(20)]
    arrived = list(deliver([*early, file, *late], seed=7))
    at = arrived.index(file)
    assert set(arrived[:at]) == set(early)
    assert set(arrived[at + 1 :]) == set(late)
    assert max(Counter(arrived).values()) == 2
    assert WINDOW > 1


def test_a_staff_file_is_csv_with_a_header():
    rows = (SimulatedStaff("1", "Ines, Holm", "ines@acme.example", "agent", "2026-01-06"),)
    assert as_csv(rows) == 'id,name,email,roles,end\n1,"Ines, Holm",ines@acme.example,agent,2026-01-06\n'


def test_both_signatures_cover_the_exact_bytes():
    body, secret = b'{"a": 1}\n', Secret("key")
    assert webhook_headers(body, secret)["X-Hub-Signature"] == "sha1=" + hmac.new(b"key", body, hashlib.sha1).hexdigest()
    assert callback_headers(body, secret)["X-Body-Signature"] == hmac.new(b"key", body, hashlib.sha256).hexdigest()


def test_the_app_of_the_workspace_signs_and_the_first_one_for_strangers():
    one, two = App(name="one", client_secrets=(Secret("1"),)), App(name="two", client_secrets=(Secret("2"),))
    tenancy = Tenancy.of([one, two], [Tenant(id="t", workspaces=(Workspace(app_id="w2", app="two"),))])
    assert app_of(b'{"app_id": "w2"}', tenancy) == two
    assert app_of(b'{"app_id": "stranger"}', tenancy) == one
    assert app_of(b"\xff not json", tenancy) == one
    assert app_of(b"{}", Tenancy.of([], [])) is None


def test_the_answer_is_told_whatever_it_is():
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(401))) as client:
        result = post(client, "http://ingress.example/", b"{}", {})
    assert (result.status, result.accepted) == (401, False)


def test_nobody_answering_says_what_to_start():
    def refuse(request):
        raise httpx.ConnectError("refused")

    with (
        httpx.Client(transport=httpx.MockTransport(refuse)) as client,
        pytest.raises(Unavailable, match="Start `intercom-streams run`"),
    ):
        post(client, "http://ingress.example/", b"{}", {})
