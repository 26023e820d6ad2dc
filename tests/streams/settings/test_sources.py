import pytest

from schemas.tenancy import RecordSource, Tenant, Workspace
from streams.settings.sources import check_record_sources


def problems(*tenants):
    found = []
    check_record_sources(tenants, lambda path, _: found.append(path))
    return found


def tenant(*names, app_id="abc12345"):
    return Tenant(
        id="acme", workspaces=(Workspace(app_id=app_id, app="support"),), sources=tuple(RecordSource(name=name) for name in names)
    )


def test_sources_have_short_names():
    assert problems(tenant("crm", "billing-eu")) == []


@pytest.mark.parametrize("name", ["", "a|b", "a:b", "a b", "*", "x" * 65, "a\nb", "abc12345"])
def test_a_name_that_cannot_begin_a_key_is_reported(name):
    assert problems(tenant(name)) == ["tenants[0].sources[0].name"]


def test_two_tenants_cannot_have_a_source_of_one_name():
    assert problems(tenant("crm"), tenant("crm", app_id="other")) == ["tenants[0].sources[0].name", "tenants[1].sources[0].name"]
