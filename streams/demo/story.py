"""The story: each act does something from outside and waits, as a subscriber would, for what must follow."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.simulator import payloads
from connectors.simulator.history import SimulatedPost, SimulatedStaff
from streams.demo.environment import APP_ID, TENANT, DemoEnvironment
from streams.demo.output import StoryOutput
from streams.demo.watch import NotSeen, SeenRecord, TopicWatch, record_at

TOPICS = ("people", "orgs", "access.violations.json", "access.state")
VIOLATIONS = "access.violations.json"
_SOON_S = 30.0  # far above any measured latency: only a broken installation takes this long
_TYPED = "the command was typed"
_OPENED, _CLOSED = 1, 3  # OCSF activity_id

Act = Callable[["StoryContext"], Awaitable[None]]


class StoryContext:
    """What every act uses: the installation, the subscriber and the output; and the latencies so far."""

    def __init__(self, environment: DemoEnvironment, watch: TopicWatch, output: StoryOutput) -> None:
        self.environment = environment
        self.watch = watch
        self.output = output
        self.latencies: list[float] = []

    async def post(self, step: SimulatedPost, note: str = "") -> float:
        """Post a webhook and show it; return the time of the post."""
        posted_at = time.monotonic()
        result = await self.environment.post(step)
        self.output.show_action(f"{step.topic}{note}: {step.about}", status=result.status, ms=result.ms)
        return posted_at

    async def wait_for_finding(self, check: str, activity: int, since: float, *, after: str = "the post") -> dict[str, Any]:
        """Wait until a finding opens or closes; show its message and return the finding."""
        record = await self.watch.until(
            VIOLATIONS,
            _is_opened(check) if activity == _OPENED else _is_closed(check),
            f"A {check} finding with activity {activity}",
            within_s=_SOON_S,
        )
        verb = "opened" if activity == _OPENED else "closed"
        self.record_observation(f"violation {check} {verb}: {record.value['message']}", record, since, after=after)
        finding: dict[str, Any] = record.value
        return finding

    def record_observation(self, what: str, record: SeenRecord, since: float, *, after: str = "the post") -> None:
        """Show what a record proves, with its latency, and store the latency."""
        ms = max(0.0, (record.at - since) * 1000)
        self.latencies.append(ms)
        self.output.show_observation(what, ms=ms, after=after)


async def one_person(context: StoryContext) -> None:
    """Post a contact's events in the wrong order, one of them twice: one person with the latest values must follow."""
    context.output.start_chapter("Three posts about one contact, in the wrong order and one of them twice")
    created = _contact_post(context, "contact.user.created", at=0, plan="free", about="Mara Lind signs up, plan free")
    updated = _contact_post(
        context, "contact.user.updated", at=60, plan="scale", about="Mara Lind moves to plan scale, a minute later"
    )
    await context.post(updated, " (first)")
    await context.post(created, " (late)")
    since = await context.post(created, " (again)")
    record = await context.watch.until("people", _is_mara, "The person Mara Lind on plan scale", within_s=_SOON_S)
    context.record_observation("one person in people: Mara Lind, plan scale", record, since)


async def belongs_to_a_company(context: StoryContext) -> None:
    """Attach a company: the person must name it, and the organisation must exist."""
    context.output.start_chapter("The contact is attached to a company")
    scene = context.environment.scene
    at = scene.at(120)
    company = payloads.company(
        id=scene.id("company", "Juniper Labs"),
        app_id=APP_ID,
        company_id="juniper-labs",
        name="Juniper Labs",
        created_ms=at,
        updated_ms=at,
    )
    contact = _contact_item(context, at=121, plan="scale", companies=[company["id"]])
    attached = scene.post(
        "company.contact.attached", {"company": company, "contact": contact}, at_ms=at, about="Mara Lind, Juniper Labs"
    )
    since = await context.post(attached)
    member = f"{APP_ID}:{company['id']}"
    record = await context.watch.until(
        "people", lambda person: member in person["companies"], "The person's company", within_s=_SOON_S
    )
    context.record_observation("the person belongs to Juniper Labs", record, since)
    record = await context.watch.until(
        "orgs", lambda org: _field(org, "name") == "Juniper Labs", "Juniper Labs", within_s=_SOON_S
    )
    context.record_observation("one organisation in orgs: Juniper Labs", record, since)
    if len({record.key for record in context.watch.records["people"]}) != 1:
        raise NotSeen("All posts were about one contact, and people holds more than one.")


async def lead_is_the_same_person(context: StoryContext) -> None:
    """Post a lead with the contact's address in another spelling: one person must have both records, and the lead's number."""
    context.output.start_chapter("A lead writes in from the same address")
    scene = context.environment.scene
    at = scene.at(180)
    lead = payloads.contact(
        id=scene.id("contact", "a lead"), app_id=APP_ID, external_id=scene.id("lead", "a lead"), role="lead", name="Mara Lind",
        email="Mara.Lind@Customer.Example", created_ms=at, updated_ms=at,
    )  # fmt: skip
    lead |= {"phone": _LEADS_NUMBER}
    about = f"Mara.Lind@Customer.Example, {_LEADS_NUMBER}"
    since = await context.post(scene.post("contact.lead.created", lead, at_ms=at, about=about))
    record = await context.watch.until(
        "people", lambda person: len(person["records"]) > 1, "The person of both records", within_s=_SOON_S
    )
    if record.value["phone"] != _LEADS_NUMBER or not record.value["companies"]:
        raise NotSeen("The person of both records has not the values of both.")
    context.record_observation("the lead and Mara Lind are one person, at Juniper Labs and with the lead's number", record, since)


async def no_policy(context: StoryContext) -> None:
    """Wait for the C3 finding: the worker sent the workspace's settings at its start, and there is no access policy."""
    context.output.start_chapter("The workspace is configured, and nobody has said who may have an account in it")
    record = await context.watch.until(VIOLATIONS, _is_opened("C3"), "The C3 finding of the workspace", within_s=_SOON_S)
    context.output.show_observation(f"violation C3 opened when the worker started: {record.value['message']}")


async def unknown_teammate(context: StoryContext) -> None:
    """Add a teammate who is in no staff directory: C1 opens."""
    context.output.start_chapter("A teammate is added whom no staff directory knows")
    since = await context.post(_admin_post(context, "added_to_workspace", at=3_000))
    await context.wait_for_finding("C1", _OPENED, since)


async def staff_directory(context: StoryContext) -> None:
    """Import a staff file that names the teammate: C1 closes."""
    context.output.start_chapter("The staff directory is imported, and names the teammate")
    since = time.monotonic()
    context.output.show_action(await context.environment.import_staff(_staff_row()))
    await context.wait_for_finding("C1", _CLOSED, since, after=_TYPED)


async def policy(context: StoryContext) -> None:
    """Apply an access policy: C3 closes."""
    context.output.start_chapter("A policy says who may have access")
    since = time.monotonic()
    context.output.show_action(await context.environment.apply_policy(_POLICY))
    await context.wait_for_finding("C3", _CLOSED, since, after=_TYPED)


async def employment_ends(context: StoryContext) -> None:
    """Import the end of the employment, yesterday: C2 opens, and its evidence is the post that added the teammate."""
    context.output.start_chapter("The teammate's employment ended yesterday, the account is still there")
    since = time.monotonic()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    context.output.show_action(await context.environment.import_staff(_staff_row(end=yesterday.isoformat())))
    finding = await context.wait_for_finding("C2", _OPENED, since, after=_TYPED)
    evidence = next(each["data"] for each in finding["evidences"] if each["data"].get("topic") == "intercom.admins")
    body = await record_at(context.environment.kafka, evidence["topic"], evidence["partition"], evidence["offset"])
    if hashlib.sha256(body).hexdigest() != evidence["sha256"]:
        raise NotSeen("The record that the evidence points at has another SHA-256 than the evidence says.")
    position = f"{evidence['topic']}, partition {evidence['partition']}, offset {evidence['offset']}"
    context.output.show_observation(f"its evidence is the post that added the account ({position}; bytes and SHA-256 agree)")
    line = next(each["data"] for each in finding["evidences"] if each["data"].get("file") == "staff.csv")
    context.output.show_observation(f"and the staff file's line that ended the employment ({line['file']}, line {line['line']})")


async def teammate_removed(context: StoryContext) -> None:
    """Remove the teammate: C2 closes."""
    context.output.start_chapter("The teammate is removed from the workspace")
    since = await context.post(_admin_post(context, "removed_from_workspace", at=3_500))
    await context.wait_for_finding("C2", _CLOSED, since)


ACTS: tuple[Act, ...] = (
    one_person, belongs_to_a_company, lead_is_the_same_person, no_policy, unknown_teammate, staff_directory, policy, employment_ends, teammate_removed,
)  # fmt: skip

_LEADS_NUMBER = "+353861234567"
_POLICY = f"""\
tenant = "{TENANT}"
[[rules]]
app_id = "{APP_ID}"
validity = "all_staff"
"""


def _contact_item(context: StoryContext, *, at: float, plan: str, companies: list[str] | None = None) -> payloads.Item:
    scene = context.environment.scene
    return payloads.contact(
        id=scene.id("contact", "Mara Lind"), app_id=APP_ID, external_id="user-1", name="Mara Lind", email="mara.lind@customer.example",
        created_ms=scene.at(0), updated_ms=scene.at(at), companies=companies or (), custom={"plan": plan},
    )  # fmt: skip


def _contact_post(context: StoryContext, topic: str, *, at: float, plan: str, about: str) -> SimulatedPost:
    return context.environment.scene.post(
        topic, _contact_item(context, at=at, plan=plan), at_ms=context.environment.scene.at(at), about=about
    )


def _admin_post(context: StoryContext, verb: str, *, at: float) -> SimulatedPost:
    scene = context.environment.scene
    item = payloads.admin(id=scene.admin_id("Ines Holm"), name="Ines Holm", email="ines.holm@acme.example")
    return scene.post(f"admin.{verb}", item, at_ms=scene.at(at), about="Ines Holm, ines.holm@acme.example")


def _staff_row(end: str = "") -> SimulatedStaff:
    return SimulatedStaff(id="17", name="Ines Holm", email="ines.holm@acme.example", roles="support agent", end=end)


def _is_opened(check: str) -> Callable[[dict[str, Any]], bool]:
    return lambda finding: bool(finding["unmapped"]["check"] == check and finding["activity_id"] == _OPENED)


def _is_closed(check: str) -> Callable[[dict[str, Any]], bool]:
    return lambda finding: bool(finding["unmapped"]["check"] == check and finding["activity_id"] == _CLOSED)


def _is_mara(person: dict[str, Any]) -> bool:
    return bool(_field(person, "name") == "Mara Lind" and person["attributes"].get("plan") == '"scale"')


def _field(profile: dict[str, Any], name: str) -> Any:
    return profile[name]
