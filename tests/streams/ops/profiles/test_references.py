"""What an operator names a profile by: its id, an address, or a record of a workspace or of another system."""

import pytest

from schemas.errors import BadConfiguration
from schemas.tenancy import App, RecordSource, Tenancy, Tenant, Workspace
from streams.ops.profiles.reference import ProfileReference, ReferenceKind, profile_reference

TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [
        Tenant(
            id="acme", workspaces=(Workspace(app_id="abc12345", app="support"),), sources=(RecordSource(name="crm"),)
        ),
        Tenant(id="beta", workspaces=(Workspace(app_id="beta0001", app="support"),)),
    ],
)  # fmt: skip


@pytest.mark.parametrize("text", ["abc12345:7", "crm:007", "crm:ada@example.com", "crm:a:b"])
def test_a_record_of_a_workspace_or_source_is_of_its_tenant_whether_that_is_said_or_not(text: str) -> None:
    expected = ProfileReference(ReferenceKind.RECORD, text, ("acme",))
    assert profile_reference(f" {text} ", TENANCY) == profile_reference(text, TENANCY, "acme") == expected


def test_a_record_of_a_former_source_is_found_where_it_is_said_whose_it_is() -> None:
    assert profile_reference("old:7", TENANCY, "beta") == ProfileReference(ReferenceKind.RECORD, "old:7", ("beta",))
    with pytest.raises(
        BadConfiguration, match=r"No workspace or source old is configured .these are: abc12345, beta0001, crm.. .* --tenant ID"
    ):
        profile_reference("old:7", TENANCY)


@pytest.mark.parametrize(("text", "noun"), [("abc12345:7", "workspace"), ("crm:7", "source")])
def test_a_record_of_another_tenant_is_refused_with_whose_it_is(text: str, noun: str) -> None:
    with pytest.raises(BadConfiguration, match=f"The {noun} .* belongs to the tenant acme, and not to beta"):
        profile_reference(text, TENANCY, "beta")
