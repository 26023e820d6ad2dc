"""The story: each act does something from outside, says what has to follow, and waits for it as a subscriber would."""

import hashlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.simulator import payloads as wire
from connectors.simulator.history import SimulatedPost, SimulatedStaff
from streams.demo.environment import APP_ID, TENANT, DemoEnvironment
from streams.demo.output import StoryOutput
from streams.demo.watch import NotSeen, SeenRecord, TopicWatch, record_at

TOPICS = ("people", "orgs", "access.violations.json", "access.state")
VIOLATIONS = "access.violations.json"
_SOON_S = 30.0  # far above what is ever seen: only a broken installation gets there
_TYPED = "the command was typed"
_OPENED, _CLOSED = 1, 3  # OCSF activity_id

Act = Callable[["StoryContext"], Awaitable[None]]


class StoryContext:
    """What every act works with, and the latencies so far."""

    def __init__(self, stage: DemoEnvironment, watch: TopicWatch, page: StoryOutput) -> None:
        self.stage = stage
        self.watch = watch
        self.page = page
        self.latencies: list[float] = []

    async def post(self, step: SimulatedPost, note: str = "") -> float:
        """Post and tell it; return the moment the post was made."""
        began = time.monotonic()
        answer = await self.stage.post(step)
        self.page.did(f"{step.topic}{note}: {step.about}", status=answer.status, ms=answer.ms)
        return began

    async def finding(self, check: str, activity: int, since: float, *, after: str = "the post") -> dict[str, Any]:
        """Wait until a finding opens or closes; tell its message and return it."""
        seen = await self.watch.until(
            VIOLATIONS,
            _is_opened(check) if activity == _OPENED else _is_closed(check),
            f"A {check} finding with activity {activity}",
            within_s=_SOON_S,
        )
        verb = "opened" if activity == _OPENED else "closed"
        self.observed(f"violation {check} {verb}: {seen.value['message']}", seen, since, after=after)
        finding: dict[str, Any] = seen.value
        return finding

    def observed(self, what: str, seen: SeenRecord, since: float, *, after: str = "the post") -> None:
        """Tell what was seen, and how long after what."""
        ms = max(0.0, (seen.at - since) * 1000)
        self.latencies.append(ms)
        self.page.observed(what, ms=ms, after=after)


async def one_person(told: StoryContext) -> None:
    """Post a contact's events in the wrong order, one twice: one person, with the latest values, comes out."""
    told.page.chapter("Three posts about one contact, in the wrong order and one of them twice")
    created = _contact(told, "contact.user.created", at=0, plan="free", about="Mara Lind signs up, plan free")
    updated = _contact(told, "contact.user.updated", at=60, plan="scale", about="Mara Lind moves to plan scale, a minute later")
    await told.post(updated, " (first)")
    await told.post(created, " (late)")
    since = await told.post(created, " (again)")
    seen = await told.watch.until("people", _is_mara, "The person Mara Lind on plan scale", within_s=_SOON_S)
    told.observed("one person in people: Mara Lind, plan scale", seen, since)


async def belongs_to_a_company(told: StoryContext) -> None:
    """Attach a company: the person says which, and the organisation exists."""
    told.page.chapter("The contact is attached to a company")
    scene = told.stage.scene
    at = scene.at(120)
    company = wire.company(
        id=scene.id("company", "Juniper Labs"),
        app_id=APP_ID,
        company_id="juniper-labs",
        name="Juniper Labs",
        created_ms=at,
        updated_ms=at,
    )
    contact = _item(told, at=121, plan="scale", companies=[company["id"]])
    attached = scene.post(
        "company.contact.attached", {"company": company, "contact": contact}, at_ms=at, about="Mara Lind, Juniper Labs"
    )
    since = await told.post(attached)
    member = f"{APP_ID}:{company['id']}"
    seen = await told.watch.until(
        "people", lambda person: member in person["companies"], "The person's company", within_s=_SOON_S
    )
    told.observed("the person belongs to Juniper Labs", seen, since)
    seen = await told.watch.until("orgs", lambda org: _field(org, "name") == "Juniper Labs", "Juniper Labs", within_s=_SOON_S)
    told.observed("one organisation in orgs: Juniper Labs", seen, since)
    if len({record.key for record in told.watch.seen["people"]}) != 1:
        raise NotSeen("All posts were about one contact, and people holds more than one.")


async def no_policy(told: StoryContext) -> None:
    """Find C3 open: the worker announced the workspace at its start, and nobody has said who may have an account."""
    told.page.chapter("The workspace is configured, and nobody has said who may have an account in it")
    seen = await told.watch.until(VIOLATIONS, _is_opened("C3"), "The C3 finding of the workspace", within_s=_SOON_S)
    told.page.observed(f"violation C3 opened when the worker started: {seen.value['message']}")


async def unknown_teammate(told: StoryContext) -> None:
    """Add a teammate nobody knows: C1 opens."""
    told.page.chapter("A teammate is added whom no staff directory knows")
    since = await told.post(_admin(told, "added_to_workspace", at=3_000))
    await told.finding("C1", _OPENED, since)


async def staff_directory(told: StoryContext) -> None:
    """Import a staff file that names the teammate: C1 closes."""
    told.page.chapter("The staff directory is imported, and names the teammate")
    since = time.monotonic()
    told.page.did(await told.stage.import_staff(_row()))
    await told.finding("C1", _CLOSED, since, after=_TYPED)


async def policy(told: StoryContext) -> None:
    """Say who may have access: C3 closes."""
    told.page.chapter("A policy says who may have access")
    since = time.monotonic()
    told.page.did(await told.stage.apply_policy(_POLICY))
    await told.finding("C3", _CLOSED, since, after=_TYPED)


async def employment_ends(told: StoryContext) -> None:
    """End the employment yesterday: C2 opens, and its evidence is the very post that added the teammate."""
    told.page.chapter("The teammate's employment ended yesterday, the account is still there")
    since = time.monotonic()
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    told.page.did(await told.stage.import_staff(_row(end=yesterday.isoformat())))
    finding = await told.finding("C2", _OPENED, since, after=_TYPED)
    evidence = next(each["data"] for each in finding["evidences"] if each["data"].get("topic") == "intercom.admins")
    body = await record_at(told.stage.kafka, evidence["topic"], evidence["partition"], evidence["offset"])
    if hashlib.sha256(body).hexdigest() != evidence["sha256"]:
        raise NotSeen("The record that the evidence points at has another SHA-256 than the evidence says.")
    place = f"{evidence['topic']}, partition {evidence['partition']}, offset {evidence['offset']}"
    told.page.observed(f"its evidence is the post that added the account ({place}; bytes and SHA-256 agree)")
    line = next(each["data"] for each in finding["evidences"] if each["data"].get("file") == "staff.csv")
    told.page.observed(f"and the staff file's line that ended the employment ({line['file']}, line {line['line']})")


async def teammate_removed(told: StoryContext) -> None:
    """Remove the teammate: C2 closes."""
    told.page.chapter("The teammate is removed from the workspace")
    since = await told.post(_admin(told, "removed_from_workspace", at=3_500))
    await told.finding("C2", _CLOSED, since)


ACTS: tuple[Act, ...] = (
    one_person, belongs_to_a_company, no_policy, unknown_teammate, staff_directory, policy, employment_ends, teammate_removed,
)  # fmt: skip

_POLICY = f"""\
tenant = "{TENANT}"
[[rules]]
app_id = "{APP_ID}"
validity = "all_staff"
"""


def _item(told: StoryContext, *, at: float, plan: str, companies: list[str] | None = None) -> wire.Item:
    scene = told.stage.scene
    return wire.contact(
        id=scene.id("contact", "Mara Lind"), app_id=APP_ID, external_id="user-1", name="Mara Lind", email="mara.lind@customer.example",
        created_ms=scene.at(0), updated_ms=scene.at(at), companies=companies or (), custom={"plan": plan},
    )  # fmt: skip


def _contact(told: StoryContext, topic: str, *, at: float, plan: str, about: str) -> SimulatedPost:
    return told.stage.scene.post(topic, _item(told, at=at, plan=plan), at_ms=told.stage.scene.at(at), about=about)


def _admin(told: StoryContext, verb: str, *, at: float) -> SimulatedPost:
    scene = told.stage.scene
    item = wire.admin(id=scene.admin_id("Ines Holm"), name="Ines Holm", email="ines.holm@acme.example")
    return scene.post(f"admin.{verb}", item, at_ms=scene.at(at), about="Ines Holm, ines.holm@acme.example")


def _row(end: str = "") -> SimulatedStaff:
    return SimulatedStaff(id="17", name="Ines Holm", email="ines.holm@acme.example", roles="support agent", end=end)


def _is_opened(check: str) -> Callable[[dict[str, Any]], bool]:
    return lambda finding: bool(finding["unmapped"]["check"] == check and finding["activity_id"] == _OPENED)


def _is_closed(check: str) -> Callable[[dict[str, Any]], bool]:
    return lambda finding: bool(finding["unmapped"]["check"] == check and finding["activity_id"] == _CLOSED)


def _is_mara(person: dict[str, Any]) -> bool:
    return bool(_field(person, "name") == "Mara Lind" and person["attributes"].get("plan") == '"scale"')


def _field(profile: dict[str, Any], name: str) -> Any:
    return profile[name]
