"""Posts for tests, signed as Intercom signs them, for a company of two apps and two workspaces."""

import json
from typing import Any

from connectors.intercom.ingress.signature import WEBHOOK, Scheme, sign
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace

SECRET = "support-secret"
NEXT_SECRET = "support-secret-after-rotation"
SALES_SECRET = "sales-secret"
TENANCY = Tenancy.of(
    [
        App(name="support", client_secrets=(Secret(SECRET), Secret(NEXT_SECRET))),
        App(name="sales", client_secrets=(Secret(SALES_SECRET),)),
    ],
    [Tenant(id="acme", workspaces=(Workspace(app_id="ws1", app="support"), Workspace(app_id="ws2", app="sales")))],
)


def notification(number: int = 1, topic: str = "contact.user.updated", **fields: Any) -> bytes:
    """Return a body; `number` distinguishes contact and notification."""
    item = fields.pop("item", {"type": "contact", "id": f"c{number}", "email": f"person{number}@example.com"})
    data = {"type": "notification_event_data", "item": item}
    whole = {
        "type": "notification_event",
        "app_id": "ws1",
        "data": data,
        "id": f"notif_{number}",
        "topic": topic,
        "created_at": 1_772_090_548,
    }
    return json.dumps({**whole, **fields}).encode()


def signed(body: bytes, secret: str = SECRET, scheme: Scheme = WEBHOOK, **more: str) -> dict[str, str]:
    """Return the headers of a post of these bytes."""
    return {scheme.header.decode(): sign(scheme, secret, body), "content-type": "application/json", **more}
