"""Single events in a company's history, each as the webhook that reports it."""

from collections.abc import Sequence

from connectors.simulator import payloads
from connectors.simulator.history import Scene, SimulatedPost, SimulatedStaff


def _address(name: str, host: str) -> str:
    return f"{name.lower().replace(' ', '.')}@{host}"


def employee(name: str, roles: str) -> SimulatedStaff:
    return SimulatedStaff(
        id=f"staff-{name.split(maxsplit=1)[0].lower()}", name=name, email=_address(name, "acme.example"), roles=roles
    )


def company_created(scene: Scene, name: str, *, at: float) -> SimulatedPost:
    now = scene.at(at)
    item = payloads.company(
        id=scene.id("company", name), app_id=scene.app_id, company_id=name.lower().replace(" ", "-"), name=name,
        created_ms=now, updated_ms=now,
    )  # fmt: skip
    return scene.post("company.created", item, at_ms=now, about=f"{name} is a company")


def _person(scene: Scene, name: str, *, at: float, plan: str | None = None, companies: Sequence[str] = ()) -> payloads.Item:
    return payloads.contact(
        id=scene.id("contact", name), app_id=scene.app_id, external_id=f"user-{scene.id('user', name)[:8]}",
        name=name.rsplit(" ", 1)[0], email=_address(name, "customer.example"), created_ms=scene.at(100), updated_ms=scene.at(at),
        companies=[scene.id("company", company) for company in companies], custom={"plan": plan} if plan else {},
    )  # fmt: skip


def contact_saved(scene: Scene, name: str, *, at: float, plan: str | None = None, company: str | None = None) -> SimulatedPost:
    topic = "contact.user.updated" if plan else "contact.user.created"
    item = _person(scene, name, at=at, plan=plan, companies=[company] if company else [])
    return scene.post(topic, item, at_ms=scene.at(at), about=f"{name} {'changed' if plan else 'signed up'}")


def contact_attached(scene: Scene, name: str, company: str, *, at: float) -> SimulatedPost:
    organisation = payloads.company(
        id=scene.id("company", company), app_id=scene.app_id, company_id=company.lower().replace(" ", "-"), name=company,
        created_ms=scene.at(0), updated_ms=scene.at(at),
    )  # fmt: skip
    item = {"company": organisation, "contact": _person(scene, name, at=at, companies=[company])}
    return scene.post("company.contact.attached", item, at_ms=scene.at(at), about=f"{name} belongs to {company}")


def contact_archived(scene: Scene, name: str, *, at: float) -> SimulatedPost:
    item = {
        "type": "contact",
        "id": scene.id("contact", name),
        "external_id": f"user-{scene.id('user', name)[:8]}",
        "archived": True,
    }
    return scene.post("contact.archived", item, at_ms=scene.at(at), about=f"{name} is archived")


def contact_deleted(scene: Scene, name: str, *, at: float) -> SimulatedPost:
    item = payloads.deleted("contact", id=scene.id("contact", name), external_id=f"user-{scene.id('user', name)[:8]}")
    return scene.post("contact.deleted", item, at_ms=scene.at(at), about=f"{name} is deleted")


def teammate(scene: Scene, name: str, verb: str, *, at: float) -> SimulatedPost:
    item = payloads.admin(id=scene.admin_id(name), name=name, email=_address(name, "acme.example"))
    return scene.post(
        f"admin.{verb}",
        item,
        at_ms=scene.at(at),
        about=f"{name} was {verb.replace('_', ' ').replace('workspace', 'the workspace')}",
    )
