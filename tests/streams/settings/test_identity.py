import pytest

from schemas.profiles.identity import BLOCKED, DEFAULT_RULES, ORG, IdentityRules
from schemas.tenancy import IdentitySettings, OrgIdentitySettings, Tenant
from streams.settings.identity import check_identity, identity_rules


def problems(**values):
    found = []
    check_identity([Tenant(id="acme", identity=IdentitySettings(**values))], lambda path, text: found.append((path, text)))
    return [path for path, _ in found]


def test_settings_without_values_mean_the_rules_that_hold_without_settings():
    assert identity_rules(IdentitySettings()) == IdentityRules()
    assert problems() == []


def test_values_are_added_in_normal_form_and_taken_away():
    entries = ("email:Jo@Example.com", "email:Team@", "email:@BÜCHER.example", "external_id:N-A", "phone:+353 86 123 4567")
    rules = identity_rules(IdentitySettings(blocked=entries, allowed=("email:info@",)))
    added = {
        "email:jo@example.com", "email:team@", "email:@xn--bcher-kva.example", "external_id:n-a", "phone:+353861234567",
    }  # fmt: skip
    assert {*rules.blocked} == {*BLOCKED} - {"email:info@"} | added
    assert problems(blocked=entries, allowed=("email:info@",)) == []


@pytest.mark.parametrize("keys", [(), ("email", "email"), ("mail",)])
def test_wrong_keys_are_reported(keys):
    assert problems(keys=keys) == ["tenants[0].identity.keys"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mode", "all"), ("limit", 1), ("blocked", ("jo@example.com",)), ("blocked", ("email:",)), ("blocked", ("email:a@b@",)),
        ("blocked", ("phone:0861234567",)), ("blocked", ("external_id: ",)), ("allowed", ("email:jo@example.com",)),
    ],
)  # fmt: skip
def test_every_other_wrong_value_is_reported_with_its_place(key, value):
    (path,) = problems(**{key: value})
    assert path == f"tenants[0].identity.{key}" + ("[0]" if isinstance(value, tuple) else "")


def org_problems(**values):
    found = []
    tenant = Tenant(id="acme", org_identity=OrgIdentitySettings(**values))
    check_identity([tenant], lambda path, text: found.append((path, text)))
    return [path for path, _ in found]


def test_settings_of_organisations_without_values_mean_the_rules_that_hold_without_settings():
    assert identity_rules(OrgIdentitySettings(), ORG) == DEFAULT_RULES[ORG]
    assert org_problems() == []


def test_rules_of_organisations_have_keys_and_blocked_values_of_their_own():
    settings = {
        "keys": ("domain", "company_id"),
        "blocked": ("company_id:Test", "domain:https://WWW.Example.com/"),
        "allowed": ("domain:x.com",),
    }
    assert org_problems(**settings) == []
    rules = identity_rules(OrgIdentitySettings(**settings), ORG)
    assert {*rules.blocked} == {*DEFAULT_RULES[ORG].blocked} - {"domain:x.com"} | {"company_id:test", "domain:example.com"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("keys", ("email",)), ("blocked", ("email:info@",)), ("blocked", ("domain:none",)), ("allowed", ("email:info@",))],
)
def test_what_is_a_key_of_people_is_none_of_organisations(key, value):
    assert org_problems(**{key: value}) == [f"tenants[0].org_identity.{key}" + ("[0]" if key != "keys" else "")]
