"""A workspace that has a past is connected, read, and followed; what a lost webhook had is read again."""

import time
from collections.abc import Callable
from typing import Any

from streams.demo.context import OPENED, SOON_S, TYPED, VIOLATIONS, StoryContext, is_event
from streams.demo.environment import PAST_APP_ID

_CHANGED = "the change"


async def connected(context: StoryContext) -> None:
    """Connect the simulated workspace: its token has to be its own, and a test post has to arrive."""
    context.output.start_chapter("A workspace that has a past is connected")
    typed, steps = await context.environment.connect()
    context.output.show_action(typed)
    context.output.show_observation(f"token: {steps['token']}")
    context.output.show_observation(f"test post: {steps['test post'].partition(',')[0]}, and it is on its topic")


async def read(context: StoryContext) -> None:
    """Read the workspace: each of its contacts has to be a person, and each teammate a finding, since there is no staff directory."""
    context.output.start_chapter("Who was there before the first webhook is read from Intercom's REST API")
    counts = (await context.environment.ask_simulator("GET", "truth"))["counts"]
    since = time.monotonic()
    context.output.show_action(await context.environment.read("backfill"))
    record = await context.watch.until(
        "people", _nth(counts["contacts"], _is_of_the_past), "A person of each contact", within_s=SOON_S
    )
    context.record_observation(
        f"{counts['contacts']} people, one for each contact that Intercom lists", record, since, after=TYPED
    )
    teammates = counts["teammates"] - 1  # Intercom's own bot is nobody's colleague
    unknown = is_event("C1", OPENED, PAST_APP_ID)
    await context.watch.until(VIOLATIONS, _nth(teammates, unknown), "A C1 finding of each teammate", within_s=SOON_S)
    context.output.show_observation(f"violation C1 opened for each of {teammates} teammates: no webhook ever named them")


async def live(context: StoryContext) -> None:
    """Change a contact: its webhook has to change the person."""
    context.output.start_chapter("From now on Intercom's webhooks keep it up to date")
    since = time.monotonic()
    changed, plan = await _change_plan(context)
    context.output.show_action(f"a contact of {PAST_APP_ID} moves to plan {plan}, and Intercom posts it")
    record = await context.watch.until("people", _has_plan(changed, plan), f"The person on plan {plan}", within_s=SOON_S)
    context.record_observation(f"the person is on plan {plan}", record, since, after=_CHANGED)


async def lost_webhook(context: StoryContext) -> None:
    """Lose the webhook of a change: a resync has to bring it."""
    context.output.start_chapter("A webhook is lost, and what it had is read again")
    environment = context.environment
    await environment.ask_simulator("PATCH", "faults", lost=1.0)
    changed, plan = await _change_plan(context)
    await environment.ask_simulator("DELETE", "faults")
    context.output.show_action(f"another contact moves to plan {plan}, and Intercom loses the webhook")
    since = time.monotonic()
    context.output.show_action(await environment.read("resync"))
    record = await context.watch.until("people", _has_plan(changed, plan), f"The person on plan {plan}", within_s=SOON_S)
    context.record_observation(f"the person is on plan {plan}", record, since, after=TYPED)


async def _change_plan(context: StoryContext) -> tuple[str, str]:
    """Change a contact, in a second of its own; return its key and its plan."""
    made = await context.environment.ask_simulator("POST", "changes", kind="contact.update", apart_s=2.0)
    (change,) = made["made"]
    return f"{PAST_APP_ID}:{change['id']}", await context.environment.plan_of(change["id"])


def _nth(count: int, wanted: Callable[[dict[str, Any]], bool]) -> Callable[[dict[str, Any]], bool]:
    """Return whether a record is the last one of so many different ones that are wanted."""
    seen: set[str] = set()

    def is_last(value: dict[str, Any]) -> bool:
        if not wanted(value):
            return False
        seen.add(value["id"] if "id" in value else value["finding_info"]["uid"])
        return len(seen) == count

    return is_last


def _is_of_the_past(person: dict[str, Any]) -> bool:
    return any(record["key"].startswith(f"{PAST_APP_ID}:") for record in person["records"])


def _has_plan(record: str, plan: str) -> Callable[[dict[str, Any]], bool]:
    return lambda person: bool(
        record in {each["key"] for each in person["records"]} and person["attributes"].get("plan") == f'"{plan}"'
    )
