"""The leaver's chapter says in words what it expected, also of findings that lack what it looks for."""

import io
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.settings import KafkaSettings
from streams.demo.chapters.leaver import check_is_due
from streams.demo.context import VIOLATIONS, StoryContext
from streams.demo.environment import DemoEnvironment
from streams.demo.output import TextStory
from streams.demo.watch import NotSeen, SeenRecord, TopicWatch

DUE = 1_790_000_000_000


def finding(result: str, *, uid: str = "one", activity: int = 2, time: int = 0, **unmapped: Any) -> dict[str, Any]:
    return {"activity_id": activity, "time": time, "finding_info": {"uid": uid}, "unmapped": {"result": result, **unmapped}}


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (finding("FAIL"), "opened as FAIL (deadline: none)"),
        (finding("FAIL", due_time=DUE), "opened as FAIL (deadline: 2026-09-21T14:13:20Z)"),
        (finding("DUE", due_time=DUE + 1000), "opened as DUE (deadline: 2026-09-21T14:13:21Z)"),
    ],
)
def test_a_finding_that_is_not_due_until_then_is_named_with_its_deadline(event: dict[str, Any], shown: str):
    with pytest.raises(NotSeen) as caught:
        check_is_due(event, DUE)
    assert shown in str(caught.value)
    assert "expected DUE until 2026-09-21T14:13:20Z" in str(caught.value)


def test_a_finding_that_is_due_until_then_is_as_expected():
    check_is_due(finding("DUE", due_time=DUE), DUE)


@pytest.mark.asyncio
async def test_an_update_is_one_of_the_same_finding_with_all_values(tmp_path: Path):
    watch = TopicWatch()
    opened = finding("DUE", activity=1)
    wanted = finding("FAIL", time=7, sla_state="failing")
    others = (opened, finding("FAIL", time=7), finding("FAIL", uid="two", time=7, sla_state="failing"),
              finding("FAIL", activity=1, time=7, sla_state="failing"), finding("FAIL", time=8, sla_state="failing"))  # fmt: skip
    context = StoryContext(DemoEnvironment(tmp_path, KafkaSettings(bootstrap="127.0.0.1:1")), watch, TextStory(io.StringIO()))
    for event in (*others, wanted):
        await watch.add(VIOLATIONS, SeenRecord("acme", event, 0.0))
    seen = await context.wait_for_update(opened, "The update", within_s=5, time=7, sla_state="failing", result="FAIL")
    assert seen.value is wanted
