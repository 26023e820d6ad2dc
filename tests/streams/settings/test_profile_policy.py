"""Policies of profiles in files and in the configuration: what is not known is refused whole, with its line and what is known."""

from pathlib import Path

import pytest

from schemas.errors import BadConfiguration
from schemas.profiles.policies import FieldPolicy, ProfilePolicy, SourceStrategy
from schemas.tenancy import App, ProfileSettings, RecordSource, Secret, Tenancy, Tenant, Workspace
from streams.settings import load
from streams.settings.profile_policy import AppliedFile, read
from tests.support.config import config_text, write_config

TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [
        Tenant(
            id="acme",
            workspaces=(Workspace(app_id="abc12345", app="support"),),
            sources=(RecordSource(name="crm"), RecordSource(name="billing")),
            profiles=ProfileSettings(hash_key=Secret("k" * 32)),
        )
    ],
)
WHOLE = """
tenant = "acme"
kind = "person"
strategy = "append_only"
priority = ["crm", "abc12345"]
allow = ["name", "attributes.*", "unsubscribed_from_emails"]
deny = ["attributes.salary"]
hash = ["attributes.passport", "email"]
select = 'person.role == "user"'
archive_deleted = true

[sources.billing]
strategy = "append_existing"

[fields.phone]
locked = true

[fields."attributes.*"]
only_empty = ["abc12345"]
priority = ["billing"]

[permissions]
sms = true
"""


def parsed(folder: Path, text: str, tenancy: Tenancy = TENANCY) -> AppliedFile:
    path = folder / "policy.toml"
    path.write_text(text)
    return read(path, tenancy, None, lambda named: named or "acme")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(BadConfiguration) as refused:
        parsed(folder, text)
    return str(refused.value)


def test_a_whole_policy_is_what_its_file_says(tmp_path: Path) -> None:
    assert parsed(tmp_path, WHOLE) == (
        "acme",
        "person",
        ProfilePolicy(
            strategy="append_only",
            priority=("crm", "abc12345"),
            sources=(SourceStrategy("billing", "append_existing"),),
            fields=(
                FieldPolicy("attributes.*", only_empty=("abc12345",), priority=("billing",)),
                FieldPolicy("phone", locked=("*",)),
            ),
            allow=("attributes.*", "name", "unsubscribed_from_emails"),
            deny=("attributes.salary",),
            hash=("attributes.passport", "email"),
            select='person.role == "user"',
            archive_deleted=True,
            sms=True,
        ),
    )


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert parsed(tmp_path, f"\ufeff{WHOLE}") == parsed(tmp_path, WHOLE)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('kind = "person"\nstrategy = "owerwrite"\n', "strategy (line 2): there is no strategy 'owerwrite'; did you mean overwrite?; known: overwrite, append_only"),
        ('kind = "person"\n\n[fields.emial]\nlocked = true\n', "fields.emial (line 3): there is no field or list of people 'emial'; did you mean email?"),
        ('kind = "person"\n[fields."emial*"]\nlocked = true\n', "fields.emial* (line 2): there is no field or list of people"),
        ('kind = "person"\npriority = ["crn"]\n', "priority (line 2): there is no source 'crn'; did you mean crm?; known: abc12345, billing, crm"),
        ('kind = "person"\n[sources.crn]\nstrategy = "ignore"\n', "sources.crn (line 2): there is no source 'crn'"),
        ('kind = "person"\n[sources.crm]\nstrategy = "never"\n', "sources.crm.strategy (line 3): there is no strategy 'never'"),
        ('kind = "person"\n[fields.name]\nstrategy = "append_existing"\n', "fields.name.strategy (line 3): there is no strategy of a field 'append_existing'"),
        ('kind = "person"\n[fields.name]\nlocked = ["crn"]\n', "fields.name.locked (line 3): there is no source 'crn'"),
        ('kind = "person"\n[fields.name]\nlocked = 3\n', "fields.name.locked (line 3): expected true or false"),
        ('kind = "person"\ndeny = ["name", "sms_consent"]\n', "deny[1] (line 2): sms_consent is consent, which is always stored"),
        ('kind = "person"\nallow = "name"\n', "allow (line 2): expected a list"),
        ('kind = "person"\ndenny = ["name"]\n', "denny (line 2): unknown key; did you mean deny?"),
        ('kind = "people"\n', "kind (line 1): expected person or org, found 'people'"),
        ('strategy = "ignore"\n', "kind: missing"),
        ('kind = "person"\nselect = "person.role =="\n', "select (line 2): select is no condition: line 1, column 15: Syntax error"),
        ('kind = "person"\nselect = "person.role"\n', "select (line 2): select has the type DYN and should be true or false"),
        (f'kind = "person"\nselect = "{"true || " * 200}true"\n', "select (line 2): select is 1604 characters long; at most 1000 are allowed"),
        ('kind = "org"\ndeny = ["email"]\n', "deny[0] (line 2): there is no field or list of organisations 'email'"),
        ('kind = "person"\nselect = "person.emial == null"\n', "select (line 2): there is no field of people 'emial'; did you mean email?; known: archived_at, archived_because, attributes,"),
        ('kind = "person"\nselect = "has(person.plan)"\n', "an attribute is person.attributes.plan"),
        ('kind = "person"\nselect = "person.sources.size() == 1"\n', "select (line 2): there is no field of people 'sources'"),
        ('kind = "person"\nselect = \'person.email.matches("^(?!ada)")\'\n', 'select (line 2): matches("^(?!ada)") fails for every profile: invalid regular expression: invalid perl operator'),
        ('kind = "person"\nselect = \'timestamp("yesterday") < timestamp(person.created_at / 1000)\'\n', 'timestamp("yesterday") fails for every profile'),
        ('kind = "org"\nselect = "org.email == null"\n', "select (line 2): there is no field of organisations 'email'"),
        ('kind = "person"\n[fields.sms_consent]\nlocked = true\n', "fields.sms_consent (line 2): sms_consent is consent, which is always stored"),
        ('kind = "person"\n[fields.subscribed]\nstrategy = "ignore"\n', "fields.subscribed (line 2): subscribed is consent"),
        ('kind = "person', "is not TOML"),
    ],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_what_is_not_known_is_refused_whole_with_its_line_and_what_is_known(tmp_path: Path, text: str, problem: str) -> None:
    assert problem in refusal(tmp_path, text)


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    text = refusal(tmp_path, 'kind = "person"\nstrategy = "x"\npriority = ["y"]\ndeny = ["z"]\n')
    assert [f"line {line}" in text for line in (2, 3, 4)] == [True] * 3


def test_hashes_need_a_key(tmp_path: Path) -> None:
    bare = Tenancy.of(TENANCY.apps.values(), [Tenant(id="acme", workspaces=(Workspace(app_id="abc12345", app="support"),))])
    with pytest.raises(BadConfiguration, match=r"set hash_key under \[tenants.profiles\]"):
        parsed(tmp_path, 'kind = "person"\nhash = ["email"]\n', bare)


def test_a_file_of_another_tenant_than_was_named_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(WHOLE)
    with pytest.raises(BadConfiguration, match="is a policy of tenant 'acme', and --tenant says 'other'"):
        read(path, TENANCY, "other", lambda named: named or "acme")


def test_the_configuration_holds_policies_by_kind_and_names_their_problems(tmp_path: Path) -> None:
    good = '[tenants.policies.person]\nstrategy = "ignore"\n[tenants.policies.org.fields.name]\nlocked = true\n'
    tables = load(str(write_config(tmp_path, config_text() + good))).tenancy.tenants["acme"].policies
    assert tables.person is not None
    assert tables.person.strategy == "ignore"
    bad = '[tenants.profiles]\nhash_key = "short"\n[tenants.policies.person]\nstrategy = "x"\n'
    with pytest.raises(BadConfiguration) as refused:
        load(str(write_config(tmp_path, config_text() + bad)))
    assert "tenants[0].policies.person.strategy (line" in str(refused.value)
    assert "expected a secret of at least 32 characters" in str(refused.value)
    assert "short" not in str(refused.value).replace("a short", "")
