"""The same fact can cause a finding again, long after it was closed: the finding is the same one, and its events are new."""

import pytest

from schemas.access.facts import Fact
from tests.support.company import DAY, TENANT, Company

HOUR = 3_600_000


def workspace(kind: str) -> Fact:
    return Fact(id=kind, tenant=TENANT, kind=f"workspace.{kind}", source="operator", basis="decided", app_id="ws2")


@pytest.mark.parametrize("hours", [1, 24 * 400])
def test_a_workspace_monitored_again_by_the_same_fact_gives_events_that_nobody_has_seen(hours: int) -> None:
    company = Company()
    found = []
    for number, kind in enumerate(("monitored", "unmonitored", "monitored", "unmonitored", "monitored")):
        found += company.add(workspace(kind), at=company.clock + (hours * HOUR if number else DAY))
    assert [event["activity_name"] for event in found] == ["Create", "Close", "Create", "Close", "Create"]
    assert len({event["finding_info"]["uid"] for event in found}) == 1
    assert [event["metadata"]["sequence"] for event in found] == [1, 2, 3, 4, 5]
    assert len({event["metadata"]["uid"] for event in found}) == 5
