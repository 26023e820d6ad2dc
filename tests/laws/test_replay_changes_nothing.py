"""Law 4: reading the same posts again, all of them or a part, in any order, publishes nothing and changes no row."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from tests.support.company import Company
from tests.support.histories import contact_events
from tests.support.oracle import Pipeline

APP = "abc12345"
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=(Secret("s"),))],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),))],
)
PUBLIC = ("people", "people.changes", "orgs", "orgs.changes", "memberships")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1 << 16), share=st.floats(0, 1))
def test_a_replay_of_posts_publishes_nothing_and_changes_no_row(seed: int, share: float) -> None:
    bodies = contact_events(60, 8, seed, APP)
    pipeline = Pipeline(TENANCY)
    pipeline.post(*bodies)
    rows = {name: table.rows() for name, table in pipeline.tables.items()}
    published = len([sent for sent in pipeline.sent if sent.topic in PUBLIC])
    assert published > 0
    again = [body for body in bodies if random.Random(seed).random() <= share]
    random.Random(seed).shuffle(again)
    pipeline.post(*again)
    assert {name: table.rows() for name, table in pipeline.tables.items()} == rows
    assert len([sent for sent in pipeline.sent if sent.topic in PUBLIC]) == published


def test_a_replay_of_facts_opens_nothing_a_second_time() -> None:
    company = Company()
    company.added("7", "jo@acme.example")
    findings = company.ids("access.violations")
    assert findings
    states = company.states()
    for record in list(company.log):
        company.process([record])
    assert company.ids("access.violations") == findings
    assert company.states() == states
