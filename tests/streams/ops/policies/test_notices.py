"""Which consequences of a policy an operator reads, beyond what its preview counts."""

import pytest

from schemas.profiles.policies import ORG, PERSON, ProfilePolicy
from schemas.tenancy import IdentitySettings, OrgIdentitySettings, Tenant
from streams.ops.policies.notices import notices

PLAIN = Tenant(id="acme", workspaces=())
BY_ALL = Tenant(
    id="acme",
    workspaces=(),
    identity=IdentitySettings(keys=("email", "phone")),
    org_identity=OrgIdentitySettings(keys=("company_id", "domain")),
)


@pytest.mark.parametrize(
    ("policy", "kind", "tenant", "fields"),
    [
        (ProfilePolicy(), PERSON, PLAIN, None),
        (ProfilePolicy(deny=("name", "phone")), PERSON, PLAIN, None),
        (ProfilePolicy(deny=("*e*",)), PERSON, PLAIN, "external_id, role, email, created_at"),
        (ProfilePolicy(hash=("email",)), PERSON, PLAIN, "email"),
        (ProfilePolicy(deny=("role", "phone")), PERSON, BY_ALL, "phone"),
        (ProfilePolicy(allow=("name", "company_id")), ORG, PLAIN, "created_at"),
        (ProfilePolicy(deny=("website",)), ORG, PLAIN, None),
        (ProfilePolicy(deny=("company_id", "website")), ORG, BY_ALL, "company_id, website"),
        (ProfilePolicy(enabled=False), ORG, BY_ALL, None),
    ],
)
def test_a_field_that_claims_nothing_any_more_is_named_where_the_tenants_keys_need_it(policy, kind, tenant, fields):
    who = {PERSON: "one person", ORG: "one organisation"}[kind]
    expected = (
        [] if fields is None else [f"{fields} will not say any more who is {who}; docs/profiles.md explains how records move"]
    )
    assert notices(policy, kind, tenant) == expected
