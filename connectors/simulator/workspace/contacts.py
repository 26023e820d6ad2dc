"""Contacts of the simulated workspace: who they are, which companies they belong to, and how Intercom writes them."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from connectors.simulator.workspace.identifiers import IdScheme, mixed
from connectors.simulator.workspace.lazy_rows import PastTimes
from connectors.simulator.workspace.spec import PAST_DAYS, WorkspaceSpec
from schemas.topics import DAY_MS

EMBEDDED: Final = 10  # how many entries of its lists a contact shows; the rest has to be asked for
_GIVEN: Final = ("Amara", "Bela", "Chidi", "Dalia", "Emre", "Farah", "Goran", "Hana", "Ivo", "Jun", "Kira", "Luca", "Mina", "Nils", "Olga", "Zoë")  # fmt: skip
_FAMILY: Final = (
    "Abel",
    "Brandt",
    "Costa",
    "Dufour",
    "Eriks",
    "Fontana",
    "Grau",
    "Holm",
    "Ito",
    "Janda",
    "Kovac",
    "O'Lind",
    "Smith & Sons",
)
_PLANS: Final = ("free", "team", "scale")
_LEAD_EACH, _MANY_EACH, _ALONE_EACH = 5, 97, 10  # one of so many is a lead, is in many companies, is in none
_MANY: Final = 12  # more companies than a contact shows
_STRIDE: Final = 7
ACTIVE, ARCHIVED, MERGED, DELETED = "active", "archived", "merged", "deleted"
TAGS: Final = ("vip", "beta", "newsletter", "trial", "churn risk", "partner", "press", "investor", "reseller", "student", "employee", "event 2026")  # fmt: skip
_NULLS: Final = dict.fromkeys(
    ["avatar", "last_replied_at", "last_contacted_at", "last_email_opened_at", "last_email_clicked_at", "language_override", "browser", "browser_version", "browser_language", "os", "android_app_name", "android_app_version", "android_device", "android_os_version", "android_sdk_version", "android_last_seen_at", "ios_app_name", "ios_app_version", "ios_device", "ios_os_version", "ios_sdk_version", "ios_last_seen_at", "utm_campaign", "utm_content", "utm_medium", "utm_source", "utm_term", "referrer", "enabled_push_messaging"]
)  # fmt: skip
_NO_PLACE: Final = {
    "type": "location",
    **dict.fromkeys(("country", "region", "city", "country_code", "continent_code")),
}


class SimulatedContact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact. `companies` are numbers of companies, `successor` is the contact that it was merged into."""

    number: int
    role: str
    external_id: str | None
    email: str | None
    name: str | None
    phone: str | None
    plan: str
    created_ms: int
    updated_ms: int
    companies: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    unsubscribed: bool = False
    state: str = ACTIVE
    successor: int | None = None

    @property
    def listed(self) -> bool:
        return self.state == ACTIVE


class PastContacts:
    """Contacts as they were before anything changed at run time. Above the listed ones are those merged or archived."""

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec = spec
        self.times = PastTimes(spec.past_ends_ms, PAST_DAYS * DAY_MS, spec.contacts)
        self._stride = spec.contacts // spec.gone

    def __call__(self, number: int) -> SimulatedContact:
        spec = self.spec
        chance = mixed(spec.seed, number, 1)
        lead = number % _LEAD_EACH == _LEAD_EACH - 1
        given, family = _GIVEN[chance % len(_GIVEN)], _FAMILY[(chance >> 8) % len(_FAMILY)]
        updated = self.times(min(number, spec.contacts - 1))
        state, successor = self._fate(number)
        return SimulatedContact(
            number=number,
            role="lead" if lead else "user",
            external_id=_uuid(mixed(spec.seed, number, 2), mixed(spec.seed, number, 3)) if lead else f"user-{number}",
            email=None if lead and chance >> 16 & 1 else f"{given.lower()}.{number}@customer.example",
            name=None if lead and chance >> 17 & 1 else f"{given} {family}",
            phone=f"+1415555{number % 10_000:04d}" if chance >> 18 & 3 == 0 else None,
            plan=_PLANS[(chance >> 24) % len(_PLANS)],
            created_ms=updated - (chance >> 32) % (90 * DAY_MS),
            updated_ms=updated,
            companies=() if state != ACTIVE else tuple(companies_of(number, spec.companies)),
            tags=tuple(range(len(TAGS))) if number % _MANY_EACH == 1 else tuple(range((chance >> 40) % 3)),
            unsubscribed=chance >> 48 & 7 == 0,
            state=state,
            successor=successor,
        )

    def merged_into(self, number: int) -> Sequence[int]:
        """Return the contacts of the past that were merged into this one."""
        place, rest = divmod(number, self._stride)
        gone = self.spec.contacts + place
        return (gone,) if number < self.spec.contacts and not rest and self._fate(gone) == (MERGED, number) else ()

    def _fate(self, number: int) -> tuple[str, int | None]:
        place = number - self.spec.contacts
        if not 0 <= place < self.spec.gone:
            return ACTIVE, None
        if place % 3 == 2:  # noqa: PLR2004  each third of those gone is archived, the others merged
            return ARCHIVED, None
        if place % 6 == 0 and place + 1 < self.spec.gone:
            return MERGED, number + 1  # a chain: merged into one that was merged itself
        return MERGED, place * self._stride


def companies_of(number: int, companies: int) -> Iterator[int]:
    """Yield the companies that a contact of the past belongs to."""
    if number % _MANY_EACH == 0:
        yield from dict.fromkeys((number + step * _STRIDE) % companies for step in range(_MANY))
    elif number < companies or number % _ALONE_EACH != _ALONE_EACH - 1:
        yield number % companies


def members_of(company: int, companies: int, contacts: int) -> list[int]:
    """Return the contacts of the past that belong to a company: the inverse of `companies_of`, without a walk over all contacts."""
    found = {number for number in range(company, contacts, companies) if company in companies_of(number, companies)}
    for step in range(_MANY):
        first = (company - step * _STRIDE) % companies
        found.update(number for number in range(first, contacts, companies) if number % _MANY_EACH == 0)
    return sorted(found)


def rest_contact(
    contact: SimulatedContact, app_id: str, ids: IdScheme, company_ids: IdScheme, *, shown: int = EMBEDDED
) -> dict[str, Any]:
    """Return a contact as REST gives it: times in seconds, the first ten of its lists."""
    own = ids.of(contact.number)
    tags = [_reference("tag", f"{100 + tag}") for tag in contact.tags]
    companies = [_reference("company", company_ids.of(each)) for each in contact.companies]
    return {
        "type": "contact", "id": own, "workspace_id": app_id, "external_id": contact.external_id, "role": contact.role,
        "email": contact.email, "phone": contact.phone, "name": contact.name, "owner_id": None,
        "social_profiles": {"type": "list", "data": []}, "has_hard_bounced": False, "marked_email_as_spam": False,
        "unsubscribed_from_emails": contact.unsubscribed, "created_at": contact.created_ms // 1000,
        "updated_at": contact.updated_ms // 1000, "signed_up_at": contact.created_ms // 1000 if contact.role == "user" else None,
        "last_seen_at": contact.updated_ms // 1000, **_NULLS, "location": _NO_PLACE,
        "custom_attributes": {"plan": contact.plan},
        "tags": _embedded(own, "tags", tags, shown),
        "notes": _embedded(own, "notes", [], shown),
        "companies": _embedded(own, "companies", companies, shown),
        "opted_out_subscription_types": _embedded(own, "subscriptions", [], shown),
        "opted_in_subscription_types": _embedded(own, "subscriptions", [], shown),
        **({"archived": True} if contact.state == ARCHIVED else {}),
    }  # fmt: skip


def _reference(kind: str, id: str) -> dict[str, str]:  # noqa: A002  Intercom's name
    places = {"tag": "tags", "company": "companies"}
    return {"id": id, "type": kind, "url": f"/{places[kind]}/{id}"}


def _embedded(owner: str, name: str, entries: list[dict[str, str]], shown: int) -> dict[str, Any]:
    return {
        "type": "list",
        "data": entries[:shown],
        "url": f"/contacts/{owner}/{name}",
        "total_count": len(entries),
        "has_more": len(entries) > shown,
    }


def _uuid(high: int, low: int) -> str:
    text = f"{high:016x}{low:016x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
