"""One company with one workspace, for tests of agents."""

from schemas.tenancy import App, RecordSource, Tenancy, Tenant, Workspace

TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [Tenant(id="acme", workspaces=(Workspace(app_id="abc12345", app="support"),))],
)

TWO_WORKSPACES = Tenancy.of(
    [App(name="support", client_secrets=())],
    [Tenant(id="acme", workspaces=tuple(Workspace(app_id=app_id, app="support") for app_id in ("abc12345", "other999")))],
)

WITH_SOURCES = Tenancy.of(
    [App(name="support", client_secrets=())],
    [
        Tenant(
            id="acme",
            workspaces=tuple(Workspace(app_id=app_id, app="support") for app_id in ("abc12345", "other999")),
            sources=(RecordSource(name="crm"), RecordSource(name="billing")),
        ),
        Tenant(id="globex", workspaces=(Workspace(app_id="gx", app="support"),), sources=(RecordSource(name="gcrm"),)),
    ],
)
