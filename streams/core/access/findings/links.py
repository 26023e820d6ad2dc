"""Addresses of pages of Intercom that findings name. A wrong one sends an operator nowhere, so a test knows their forms."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from schemas.tenancy import DEFAULT_REGION

HOSTS: Final[Mapping[str, str]] = MappingProxyType({
    "us": "app.intercom.com",
    "eu": "app.eu.intercom.com",
    "au": "app.au.intercom.com",
})  # fmt: skip
"""By the region of a workspace."""


def teammates_page(app_id: str, region: str = DEFAULT_REGION) -> str:
    """Return the page on which a teammate is removed: Settings, Workspace, Teammates of this workspace."""
    host = HOSTS.get(region, HOSTS[DEFAULT_REGION])
    return f"https://{host}/a/apps/{quote(app_id, safe='')}/settings/workspace/teammates"
