"""Addresses of pages of Intercom that findings name. A wrong one sends an operator nowhere, so a test knows their forms."""

from urllib.parse import quote


def teammates_page(app_id: str) -> str:
    """Return the page on which a teammate is removed: Settings, Workspace, Teammates of this workspace."""
    return f"https://app.intercom.com/a/apps/{quote(app_id, safe='')}/settings/workspace/teammates"
