"""Webhooks about a contact, a company and a lead become one person and one organisation."""

from typing import Any

from connectors.simulator import payloads
from connectors.simulator.history import SimulatedPost
from streams.demo.context import SOON_S, StoryContext
from streams.demo.environment import APP_ID, TENANT
from streams.demo.watch import NotSeen

_LOCKED = f'tenant = "{TENANT}"\nkind = "person"\n[fields.name]\nlocked = true\n'
_LEADS_NUMBER = "+353861234567"


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
    record = await context.watch.until("people", _is_mara, "The person Mara Lind on plan scale", within_s=SOON_S)
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
        "people", lambda person: member in person["companies"], "The person's company", within_s=SOON_S
    )
    context.record_observation("the person belongs to Juniper Labs", record, since)
    record = await context.watch.until("orgs", lambda org: _field(org, "name") == "Juniper Labs", "Juniper Labs", within_s=SOON_S)
    context.record_observation("one organisation in orgs: Juniper Labs", record, since)
    posted = [each for each in context.watch.records["people"] if each.value and _has_record_of(each.value, APP_ID)]
    if len({record.key for record in posted}) != 1:
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
        "people", lambda person: len(person["records"]) > 1, "The person of both records", within_s=SOON_S
    )
    if record.value["phone"] != _LEADS_NUMBER or not record.value["companies"]:
        raise NotSeen("The person of both records has not the values of both.")
    context.record_observation("the lead and Mara Lind are one person, at Juniper Labs and with the lead's number", record, since)


async def locked_field(context: StoryContext) -> None:
    """Lock the name of people and post another one: the person must keep the first name, and get the new plan of the same post."""
    context.output.start_chapter("The name of people is locked: no source may change it")
    context.output.show_action(await context.environment.apply_profile_policy(_LOCKED))
    scene = context.environment.scene
    item = _contact_item(context, at=240, plan="enterprise", name="M. Smith")
    updated = scene.post("contact.user.updated", item, at_ms=scene.at(240), about="Mara Lind is M. Smith, plan enterprise")
    since = await context.post(updated)
    record = await context.watch.until("people", _is_locked, "Mara Lind on plan enterprise", within_s=SOON_S)
    context.record_observation("the person is on plan enterprise, and still Mara Lind", record, since)


def _contact_item(
    context: StoryContext, *, at: float, plan: str, companies: list[str] | None = None, name: str = "Mara Lind"
) -> payloads.Item:
    scene = context.environment.scene
    return payloads.contact(
        id=scene.id("contact", "Mara Lind"), app_id=APP_ID, external_id="mara-lind", name=name, email="mara.lind@customer.example",
        created_ms=scene.at(0), updated_ms=scene.at(at), companies=companies or (), custom={"plan": plan},
    )  # fmt: skip


def _contact_post(context: StoryContext, topic: str, *, at: float, plan: str, about: str) -> SimulatedPost:
    return context.environment.scene.post(
        topic, _contact_item(context, at=at, plan=plan), at_ms=context.environment.scene.at(at), about=about
    )


def _is_mara(person: dict[str, Any]) -> bool:
    return bool(_field(person, "name") == "Mara Lind" and person["attributes"].get("plan") == '"scale"')


def _is_locked(person: dict[str, Any]) -> bool:
    return bool(_field(person, "name") == "Mara Lind" and person["attributes"].get("plan") == '"enterprise"')


def _has_record_of(person: dict[str, Any], app_id: str) -> bool:
    return any(record["key"].startswith(f"{app_id}:") for record in person["records"])


def _field(profile: dict[str, Any], name: str) -> Any:
    return profile[name]
