"""The configuration file: what is read, what is refused, and the error messages."""

from pathlib import Path

import pytest

from schemas.errors import BadConfiguration
from schemas.tenancy import FurtherCheck, Secret
from streams.settings import KAFKA_ONLY, load
from streams.settings.placeholders import UnfilledPlaceholder, fill
from streams.settings.toml_lines import line_of

WHOLE = """
[kafka]
bootstrap = "${KAFKA_BOOTSTRAP:-127.0.0.1:9092}"
topic_prefix = "try."
partitions = "${PARTITIONS:-6}"
password = "hunter2"
[redis]
url = "${REDIS_URL:-redis://127.0.0.1:6379/0}"
[registry]
url = "${SCHEMA_REGISTRY_URL:-}"
[ingress]
listen = "127.0.0.1:8080"
spool = "var/spool"

[[apps]]
name = "support"
client_secrets = ["${INTERCOM_CLIENT_SECRET}", "${file:old-secret}"]

[[tenants]]
id = "acme"
[[tenants.workspaces]]
app_id = "abc12345"
app = "support"
name = "Acme support"
region = "us"
access_token = "${INTERCOM_TOKEN:-}"
"""
ENVIRONMENT = {"INTERCOM_CLIENT_SECRET": "s3cret"}


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "old-secret").write_text("older\n")
        path = tmp_path / "intercom-streams.toml"
        path.write_text(text)
        return str(path)

    return write


def problems(path, environment=ENVIRONMENT, **options):
    with pytest.raises(BadConfiguration) as raised:
        load(path, environment=environment, **options)
    return str(raised.value)


def test_a_source_of_staff_says_what_absence_means_and_nothing_else(file):
    sources = '[[tenants.staff_sources]]\nname = "hr"\nabsence = "ended"\n'
    (source,) = load(file(WHOLE + sources), environment=ENVIRONMENT).tenancy.tenants["acme"].staff_sources
    assert (source.name, source.absence) == ("hr", "ended")
    found = problems(file(WHOLE + sources.replace("ended", "gone") + sources))
    assert "tenants[0].staff_sources[0].absence (line 29): expected one of withdrawn, ended, found 'gone'" in found
    assert "each needs its own" in found


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ('freshness = "weekly"', "freshness (line 28): expected one of push, interval, manual, found 'weekly'"),
        ("interval_hours = 0", "interval_hours (line 28): expected at least 1, found 0"),
        ('zone = "Mars"', "zone (line 28): expected a time zone like Europe/Paris or UTC, found 'Mars'"),
        ('dates = "dym"', "dates (line 28): expected one of ymd, dmy, mdy, found 'dym'"),
        ('ends = "never"', "ends (line 28): expected one of last_day, first_day_gone, found 'never'"),
        ('columns = ["shoe=44"]', "columns (line 28): 'shoe=44' is no FIELD=COLUMN"),
        ('encoding = "cp99"', "encoding (line 28): expected a text encoding like utf-8, cp1252 or utf-16, found 'cp99'"),
    ],
)
def test_the_form_of_a_sources_files_is_checked_with_the_configuration(file, wrong, expected):
    sources = f'[[tenants.staff_sources]]\n{wrong}\nname = "hr"\n'
    assert f"tenants[0].staff_sources[0].{expected}" in problems(file(WHOLE + sources))


def test_the_limits_of_the_guard_are_read_and_checked(file):
    tenants = load(file(WHOLE + "[tenants.guard]\npercent = 5\n"), environment=ENVIRONMENT).tenancy.tenants
    assert (tenants["acme"].guard.heads, tenants["acme"].guard.percent) == (10, 5)
    found = problems(file(WHOLE + "[tenants.guard]\nheads = 0\npercent = -1\n"))
    assert "tenants[0].guard.heads (line 28): expected at least 1, found 0" in found
    assert "tenants[0].guard.percent (line 29): expected at least 0, found -1" in found


def test_calendars_are_checked_with_the_configuration(file):
    calendar = '[[tenants.calendars]]\nid = "fr"\nzone = "Europe/Paris"\ncountry = "FR"\n'
    (read,) = load(file(WHOLE + calendar), environment=ENVIRONMENT).tenancy.tenants["acme"].calendars
    assert (read.id, read.zone, read.country, read.weekend) == ("fr", "Europe/Paris", "FR", (6, 7))
    found = problems(file(WHOLE + calendar.replace("FR", "FX").replace("Paris", "Pariz") + calendar))
    assert "tenants[0].calendars[0].country (line 30): expected a country's code as in DE" in found
    assert "tenants[0].calendars[0].zone (line 29): expected a time zone as in Europe/Paris, found 'Europe/Pariz'" in found
    assert "2 entries have the id 'fr'; each needs its own" in found


def test_the_default_calendar_is_one_of_the_tenants(file):
    found = problems(file(WHOLE.replace('id = "acme"', 'id = "acme"\ncalendar = "fr"')))
    assert "calendar" in found
    assert "no [[tenants.calendars]] has the id 'fr'; known: none" in found


@pytest.mark.parametrize("begin", ["", "\ufeff"], ids=["", "with a byte order mark"])
def test_the_whole_form_is_read(file, tmp_path, begin):
    settings = load(file(begin + WHOLE), environment=ENVIRONMENT)
    assert settings.kafka.bootstrap == "127.0.0.1:9092"
    assert settings.kafka.partitions == 6
    assert settings.kafka.topic("people") == "try.people"
    assert settings.registry.url == ""
    assert settings.tenancy.apps["support"].client_secrets == (Secret("s3cret"), Secret("older"))
    assert settings.tenancy.owners == {"abc12345": "acme"}
    assert settings.tenancy.workspaces["abc12345"].access_token == Secret("")
    assert settings.ingress.spool == str(tmp_path / "var/spool")


def test_no_secret_is_in_the_repr_of_settings(file):
    shown = repr(load(file(WHOLE), environment=ENVIRONMENT))
    assert "hunter2" not in shown
    assert "s3cret" not in shown
    assert "older" not in shown


def test_kafka_bootstrap_in_the_environment_overrules_the_file(file):
    text = WHOLE.replace("${KAFKA_BOOTSTRAP:-127.0.0.1:9092}", "kafka.example:9092")
    assert load(file(text), environment=ENVIRONMENT).kafka.bootstrap == "kafka.example:9092"
    assert load(file(text), environment=ENVIRONMENT | {"KAFKA_BOOTSTRAP": "other:1"}).kafka.bootstrap == "other:1"


@pytest.mark.parametrize("line_end", ["\x85", "\u2028", "\u2029"])
def test_a_line_end_that_toml_does_not_know_counts_as_no_line(file, line_end):
    assert "kafak (line 2): unknown key; did you mean kafka?" in problems(file(f"# a{line_end}b\n[kafak]\n"), parts=KAFKA_ONLY)


def test_a_table_where_a_list_of_tables_belongs_is_told_how_to_be_written(file):
    error = problems(file('[[tenants]]\nid = "acme"\n[tenants.workspaces]\napp_id = "abc12345"\n'))
    assert "tenants[0].workspaces (line 3): expected a list, found a table: write [[tenants.workspaces]]" in error


def test_every_problem_is_named_at_once_with_key_and_line(file):
    error = problems(
        file('[kafka]\npartitons = 3\nreplication = "two"\nbootstrap = "nowhere"\n[[apps]]\nname = "a"\n[[tenants]]\nid = 7\n')
    )
    assert "kafka.partitons (line 2): unknown key; did you mean partitions?" in error
    assert "kafka.replication (line 3): expected a whole number, found 'two'" in error
    assert "kafka.bootstrap (line 4): expected host:port" in error
    assert "apps[0].client_secrets (line 5): missing; expected a list" in error
    assert "tenants[0].id (line 8): expected a text in quotes, found 7" in error
    assert "has 5 problems" in error


def test_an_unknown_table_is_refused_also_where_only_kafka_is_wanted(file):
    assert "kafak (line 1): unknown key; did you mean kafka?" in problems(file("[kafak]\n"), parts=KAFKA_ONLY)


def test_a_variable_that_is_not_set_is_named(file):
    error = problems(file(WHOLE), environment={})
    assert "apps[0].client_secrets[0] (line 17): the environment variable INTERCOM_CLIENT_SECRET is not set" in error


def test_a_verb_that_only_needs_kafka_needs_neither_secret_nor_file(file, tmp_path, monkeypatch):
    assert load(file(WHOLE), parts=KAFKA_ONLY, environment={}).kafka.topic_prefix == "try."
    monkeypatch.chdir(tmp_path / "..")
    assert load(parts=KAFKA_ONLY, environment={"KAFKA_BOOTSTRAP": "a:1"}).kafka.bootstrap == "a:1"


def test_a_verb_without_secrets_needs_the_file_and_all_else_in_it(file, tmp_path):
    settings = load(file(WHOLE), secrets=False, environment={})
    assert settings.tenancy.workspaces.keys() == {"abc12345"}
    without = WHOLE.replace('client_secrets = ["${INTERCOM_CLIENT_SECRET}", "${file:old-secret}"]', "client_secrets = []")
    assert load(file(without), secrets=False, environment={}).tenancy.workspaces.keys() == {"abc12345"}
    assert "app_id" in problems(file(WHOLE.replace('app_id = "abc12345"', "")), environment={}, secrets=False)
    assert "There is no configuration file" in problems(str(tmp_path / "none.toml"), environment={}, secrets=False)


def test_a_secret_of_the_wrong_type_is_not_shown(file):
    error = problems(file("[kafka]\npassword = 123456\n"))
    assert "kafka.password (line 2): expected a text in quotes, found a number" in error
    assert "123456" not in error


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('region = "us"', 'region = "mars"'), "tenants[0].workspaces[0].region (line 25): expected one of us, eu, au"),
        (('app = "support"', 'app = "sales"'), "no [[apps]] has the name 'sales'; known: support"),
        (('id = "acme"', 'id = "a:b"'), "tenants[0].id (line 20): expected a short name without | and :"),
        (('id = "acme"', 'id = "@acme"'), "and no @ at its beginning"),
        (('listen = "127.0.0.1:8080"', 'listen = "8080"'), "ingress.listen (line 12): expected host:port"),
        (('topic_prefix = "try."', "min_insync = 2"), "kafka.min_insync (line 4): expected at most kafka.replication (1)"),
        (('client_secrets = ["${INTERCOM_CLIENT_SECRET}", "${file:old-secret}"]', 'client_secrets = [""]'), "client secret from Intercom"),
        (("${file:old-secret}", "${file:none}"), "cannot be read (No such file or directory)"),
        (("${INTERCOM_TOKEN:-}", "${oh no}"), "'${oh no}' is not a placeholder"),
        (('url = "${REDIS_URL:-redis://127.0.0.1:6379/0}"', 'url = "localhost"'), "redis.url (line 8): expected a URL with redis://"),
    ],
)  # fmt: skip
def test_a_wrong_value_says_what_is_expected(file, change, expected):
    assert expected in problems(file(WHOLE.replace(*change)))


def test_one_workspace_cannot_have_two_tenants(file):
    second = '[[tenants]]\nid = "beta"\n[[tenants.workspaces]]\napp_id = "abc12345"\napp = "support"\n'
    assert "tenants[1].workspaces[0].app_id (line 30): 'abc12345' is configured 2 times" in problems(file(WHOLE + second))


def test_a_missing_file_says_how_to_start(tmp_path):
    assert "`intercom-streams init` writes one" in problems(str(tmp_path / "none.toml"))


def test_text_that_is_not_toml_is_located(file):
    assert "is not TOML: Invalid value (at line 2, column 9)" in problems(file("[kafka]\nlisten =\n"))


def test_places_are_filled_once_and_empty_counts_as_unset():
    environment = {"A": "${B}", "EMPTY": ""}
    assert fill("x${A}y${C:-d}${EMPTY:-e}", environment, Path()) == "x${B}yde"
    with pytest.raises(UnfilledPlaceholder, match="EMPTY is empty"):
        fill("${EMPTY}", environment, Path())


def test_the_line_of_a_key_is_found_in_the_right_table():
    source = "a = 1\n[b]\na = 2\n[[c]]\na = 3\n[[c]]\n[[c.d]]\n[[c.d]]\n# c\na = 4\n"
    assert line_of(source, "a") == 1
    assert line_of(source, "b.a") == 3
    assert line_of(source, "c[0].a") == 5
    assert line_of(source, "c[1].d[1].a") == 10
    assert line_of(source, "c[1].d[0].a") == 7
    assert line_of(source, "nowhere") is None


def test_further_checks_are_switched_on_by_a_table(file):
    checks = '[tenants.checks]\nC6 = {}\nC9 = { accounts = ["99"], severity = "low" }\n[tenants.checks.C15]\ndays = 60\n'
    tenant = load(file(WHOLE + checks), environment=ENVIRONMENT).tenancy.tenants["acme"]
    assert tenant.checks == {
        "C6": FurtherCheck(),
        "C9": FurtherCheck(accounts=("99",), severity="low"),
        "C15": FurtherCheck(days=60),
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("C1 = {}", "no further check has this id; known: C6"),
        ("C99 = {}", "tenants[0].checks.C99"),
        ('C6 = { severity = "bad" }', "one of , informational, low, medium, high, critical"),
        ("C6 = { days = -1 }", "checks.C6.days"),
        ("C6 = true", "expected a table, found true"),
        ("C6 = { hours = 1 }", "unknown key"),
    ],
)
def test_a_further_check_that_is_no_such_thing_is_named_with_what_is_expected(file, line, expected):
    assert expected in problems(file(f"{WHOLE}[tenants.checks]\n{line}\n"))


GOOD_SCIM = '[[tenants.scim]]\nsource = "okta"\ntokens = ["${TOKEN}"]\n'
WITH_TOKEN = ENVIRONMENT | {"TOKEN": "a-token-of-twenty-characters"}


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (GOOD_SCIM + 'inactive = "left"', "scim[0].inactive (line 30): expected one of ended, withdrawn, found 'left'"),
        (GOOD_SCIM + 'deleted = ""', "scim[0].deleted (line 30): expected one of ended, withdrawn, found ''"),
        (GOOD_SCIM + 'roles = "title"', "scim[0].roles (line 30): expected one of roles, department, groups, found 'title'"),
        (GOOD_SCIM.replace("okta", "a|b"), "scim[0].source (line 28): expected a short name without |"),
        (GOOD_SCIM.replace("okta", ""), "scim[0].source (line 28): expected a short name without |"),
        (GOOD_SCIM + GOOD_SCIM, "scim[0].source (line 28): 'okta' stands twice"),
        (GOOD_SCIM + GOOD_SCIM.replace("okta", "entra"), "scim[1].tokens (line 32): the same token stands twice"),
        (
            GOOD_SCIM.replace("${TOKEN}", "short-token-x"),
            "scim[0].tokens (line 29): expected a bearer token of at least 20 characters",
        ),
        (
            GOOD_SCIM.replace("${TOKEN}", "a token with blanks in it"),
            "scim[0].tokens (line 29): expected ASCII characters without blanks",
        ),
        (GOOD_SCIM.replace('["${TOKEN}"]', "[]"), "scim[0].tokens (line 29): expected a bearer token"),
        ('[[tenants.scim]]\nsource = "okta"', "scim[0].tokens (line 27): missing; expected a list"),
        ('[scim]\nlisten = "nowhere"', "scim.listen (line 28): expected host:port"),
        ('[scim]\nurl = "scim.example.com"', "scim.url (line 28): expected a URL with http:// or https://"),
    ],
)
def test_a_source_that_an_identity_provider_writes_is_checked_and_its_tokens_are_not_shown(file, wrong, expected):
    found = problems(file(WHOLE + wrong), WITH_TOKEN)
    assert expected in found
    assert not any(token in found for token in ("a-token-of-twenty", "short-token-x", "a token with"))


def test_tokens_are_in_no_repr(file):
    settings = load(file(WHOLE + GOOD_SCIM), environment=WITH_TOKEN)
    assert settings.tenancy.tenants["acme"].scim[0].tokens[0].reveal() == WITH_TOKEN["TOKEN"]
    assert "a-token-of-twenty" not in repr(settings)
