"""A workspace without policy and a teammate whom nobody knows: violations open, and close once staff and policy are there."""

import time

from streams.demo.chapters import teammate
from streams.demo.context import CLOSED, OPENED, SOON_S, TYPED, VIOLATIONS, StoryContext, is_event
from streams.demo.environment import APP_ID, TENANT

GRACE_HOURS = 24
_POLICY = f"""\
tenant = "{TENANT}"
[[rules]]
app_id = "{APP_ID}"
validity = "all_staff"
grace = {{ C2 = "{GRACE_HOURS} hours" }}
"""


async def no_policy(context: StoryContext) -> None:
    """Wait for the C3 finding: the worker sent the workspace's settings at its start, and there is no access policy."""
    context.output.start_chapter("The workspace is configured, and nobody has said who may have an account in it")
    record = await context.watch.until(VIOLATIONS, is_event("C3", OPENED), "The C3 finding of the workspace", within_s=SOON_S)
    context.output.show_observation(f"violation C3 opened when the worker started: {record.value['message']}")


async def unknown_teammate(context: StoryContext) -> None:
    """Add a teammate who is in no staff directory: C1 opens."""
    context.output.start_chapter("A teammate is added whom no staff directory knows")
    scene = context.environment.scene
    since = await context.post(teammate.post(scene, "added_to_workspace", at_ms=scene.at(3_000)))
    await context.wait_for_finding("C1", OPENED, since)


async def staff_directory(context: StoryContext) -> None:
    """Import a staff file that names the teammate: C1 closes."""
    context.output.start_chapter("The staff directory is imported, and names the teammate")
    since = time.monotonic()
    context.output.show_action(await context.environment.import_staff(teammate.staff_row()))
    await context.wait_for_finding("C1", CLOSED, since, after=TYPED)


async def policy(context: StoryContext) -> None:
    """Apply an access policy: C3 closes."""
    context.output.start_chapter(f"A policy says who may have access, and grants {GRACE_HOURS} hours to remove leavers")
    since = time.monotonic()
    context.output.show_action(await context.environment.apply_policy(_POLICY))
    await context.wait_for_finding("C3", CLOSED, since, after=TYPED)
