"""One company with one workspace, for tests of agents."""

from schemas.tenancy import App, Tenancy, Tenant, Workspace

TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [Tenant(id="acme", workspaces=(Workspace(app_id="abc12345", app="support"),))],
)

TWO_WORKSPACES = Tenancy.of(
    [App(name="support", client_secrets=())],
    [Tenant(id="acme", workspaces=tuple(Workspace(app_id=app_id, app="support") for app_id in ("abc12345", "other999")))],
)
