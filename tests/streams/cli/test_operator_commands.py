"""`staff import` and `policy apply|show` against a real Kafka: what they append to the log, and what they refuse to append."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import BadConfiguration, InvalidRecord, Unavailable
from schemas.tenancy import Tenancy, Tenant, WorkCalendar, Workspace
from streams.worker.settings_sync import sync_settings_facts
from tests.streams.cli.operator import Operator
from tests.support.company import AVRO

STAFF = "id,name,email,role,end,shoe size\n77,Jo,jo@acme.example,Support,,44\n78,Al,al@acme.example,Sales,2026-01-31,43\n"
POLICY = '[[rules]]\napp_id = "abc12345"\nvalidity = "staff_roles"\nroles = ["Support"]\n'


def test_a_staff_file_becomes_facts_of_its_tenant_in_the_log(operator: Operator):
    report = operator.printed(
        "staff", "import", operator.file("staff.csv", STAFF), "--tenant", operator.tenant, "--zone", "Europe/Paris"
    )
    assert (report["rows"], report["facts"], report["ignored_columns"]) == (2, 2, ["shoe size"])
    log = operator.log()
    assert [fact.record.record for fact in log if fact.record] == ["77", "78"]
    assert log[1].record is not None
    assert log[1].record.ends is not None
    assert (log[1].record.ends.given, log[1].record.ends.zone, log[1].record.ends.instant) == (
        "2026-01-31",
        "Europe/Paris",
        1769900400000,
    )
    assert operator.log("other") == []


def test_a_complete_file_is_framed_as_a_listing(operator: Operator):
    operator.printed(
        "staff", "import", operator.file("staff.csv", STAFF), "--tenant", operator.tenant, "--complete", "--source", "hr"
    )
    assert [fact.kind.rpartition(".")[2] for fact in operator.log()] == ["started", "row", "row", "ended"]


def test_a_complete_file_is_confirmed_with_its_start_and_no_other_file_can_be(operator: Operator):
    file = operator.file("staff.csv", STAFF)
    refused = operator.types("staff", "import", file, "--tenant", operator.tenant, "--confirm")
    assert (refused.exit_code, operator.log()) == (2, [])
    operator.printed("staff", "import", file, "--tenant", operator.tenant, "--complete", "--confirm")
    start, decision, *_, end = operator.log()
    assert (start.kind, decision.kind, decision.basis) == ("staff.snapshot.started", "snapshot.confirmed", "decided")
    assert start.snapshot is not None
    assert decision.snapshot is not None
    assert end.snapshot is not None
    assert (decision.snapshot.id, decision.time) == (start.snapshot.id, None)
    assert end.snapshot.id == start.snapshot.id


EXPORT = "Personalnr;E-Mail;Position;Austritt\r\n77;jo@acme.example;Köchin;\r\n78;al@acme.example;Sales;01.02.2026\r\n"


def test_an_export_of_another_form_is_imported_as_declared_and_as_of_its_time(operator: Operator):
    file = operator.folder / "export.csv"
    file.write_bytes(EXPORT.encode("cp1252"))
    words = ("staff", "import", str(file), "--tenant", operator.tenant, "--columns", "id=Personalnr", "--columns", "end=Austritt")
    form = ("--encoding", "cp1252", "--zone", "Europe/Paris", "--as-of", "2026-01-15T09:00")
    refused = operator.types(*words, *form)
    assert "could be 01 February 2026 (--dates dmy) or 02 January 2026 (--dates mdy)" in str(refused.exception)
    operator.printed(*words, *form, "--dates", "dmy")
    (ended, employed) = sorted(operator.log(), key=lambda fact: fact.record.ends is None if fact.record else False)
    assert {ended.time, employed.time} == {1768464000000}
    assert ended.record is not None
    assert ended.record.ends is not None
    assert (ended.record.ends.given, ended.record.ends.instant, ended.record.ends.rule) == (
        "01.02.2026",
        1769986800000,
        "end_of_day",
    )
    assert employed.record is not None
    assert employed.record.roles == ("Köchin",)


def test_the_same_file_as_of_the_same_time_gives_the_same_facts(operator: Operator):
    for _ in range(2):
        operator.printed(
            "staff", "import", operator.file("staff.csv", STAFF), "--tenant", operator.tenant, "--as-of", "2026-01-15T09:00Z"
        )
    first, second, third, fourth = (fact.id for fact in operator.log())
    assert (first, second) == (third, fourth)


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--as-of", "2026-01-15", "is no time like"),
        ("--as-of", "yesterday", "is no time like"),
        ("--as-of", "2999-01-15T09:00", "in the future"),
        ("--zone", "Europe/Parys", "expected a time zone"),
        ("--dates", "dym", "expected one of ymd, dmy, mdy"),
        ("--ends", "never", "expected one of last_day, first_day_gone"),
        ("--columns", "Austritt", "is no FIELD=COLUMN"),
        ("--columns", "end=Austritt", "has no column 'austritt'"),
        ("--encoding", "cp99", "expected a text encoding"),
    ],
)
def test_a_form_that_cannot_be_meant_is_refused_before_anything_is_imported(
    operator: Operator, option: str, value: str, why: str
):
    refused = operator.types("staff", "import", operator.file("staff.csv", STAFF), "--tenant", operator.tenant, option, value)
    assert isinstance(refused.exception, InvalidRecord)
    assert why in str(refused.exception)
    assert operator.log() == []


def test_the_form_of_a_source_stands_in_the_configuration_and_options_override_it(operator: Operator):
    operator.config.write_text(
        operator.config.read_text().replace(
            "[[tenants.workspaces]]",
            '[[tenants.staff_sources]]\nname = "hr"\nzone = "Europe/Paris"\ndates = "mdy"\nends = "first_day_gone"\n\n'
            "[[tenants.workspaces]]",
            1,
        )
    )
    file = operator.file("hr.csv", STAFF.replace("2026-01-31", "02/01/2026"))
    words = ("staff", "import", file, "--tenant", operator.tenant, "--source", "hr")
    operator.printed(*words)
    operator.printed(*words, "--dates", "dmy")
    ends = [fact.record.ends for fact in operator.log() if fact.record and fact.record.ends]
    assert [(each.instant, each.rule) for each in ends] == [
        (1769900400000, "first_day_gone"),
        (1767308400000, "first_day_gone"),
    ]


def test_bad_rows_are_all_named_and_nothing_is_imported_unless_told_to_skip_them(operator: Operator):
    file = operator.file("staff.csv", STAFF + "79,Di,no address,,,\n80,Ed,ed@acme.example,,02/01/2026,\n")
    refused = operator.types("staff", "import", file, "--tenant", operator.tenant)
    assert isinstance(refused.exception, InvalidRecord)
    assert "line 4" in str(refused.exception)
    assert "line 5" in str(refused.exception)
    assert isinstance(
        operator.types("staff", "import", file, "--tenant", operator.tenant, "--complete", "--skip-bad").exception, InvalidRecord
    )
    assert operator.log() == []
    assert operator.printed("staff", "import", file, "--tenant", operator.tenant, "--skip-bad")["skipped"] == 2
    assert len(operator.log()) == 2


def test_of_very_many_bad_rows_every_line_is_named(operator: Operator):
    bad = "".join(f"{number},Di,no address,,,\n" for number in range(100, 160))
    file = operator.file("staff.csv", f"{STAFF}{bad}90,Ed,ed@acme.example,,,\n91,Di,no address,,,\n")
    refused = str(operator.types("staff", "import", file, "--tenant", operator.tenant).exception)
    assert "61 of 64 rows" in refused
    assert "\n  line 53: " in refused
    assert refused.splitlines()[-2] == "  and lines 54-63, 65"
    printed = operator.types("staff", "import", file, "--tenant", operator.tenant, "--skip-bad").output
    assert "skipped lines 54-63, 65; --json gives their reasons" in printed
    report = operator.printed("staff", "import", file, "--tenant", operator.tenant, "--skip-bad")
    assert [row["line"] for row in report["skipped_rows"]] == [*range(4, 64), 65]


def test_an_unknown_tenant_is_answered_with_those_that_are_configured(operator: Operator):
    error = operator.types("staff", "import", operator.file("staff.csv", STAFF), "--tenant", "acne").exception
    assert isinstance(error, BadConfiguration)
    assert f"{operator.tenant}, other" in str(error)


def test_a_complete_file_without_rows_is_refused_for_it_would_withdraw_everybody(operator: Operator):
    error = operator.types(
        "staff", "import", operator.file("staff.csv", "id,email\n"), "--tenant", operator.tenant, "--complete"
    ).exception
    assert isinstance(error, InvalidRecord)


def test_a_policy_names_the_one_it_replaces_and_the_same_again_is_nothing_to_do(operator: Operator):
    assert operator.types("policy", "show", "--tenant", operator.tenant).exit_code == 1
    first = operator.printed("policy", "apply", operator.file("policy.toml", POLICY), "--tenant", operator.tenant)
    assert (first["changed"], first["replaces"]) == (True, None)
    assert (
        operator.printed("policy", "apply", operator.file("policy.toml", POLICY), "--tenant", operator.tenant)["changed"] is False
    )
    second = operator.printed(
        "policy", "apply", operator.file("policy.toml", f'tenant = "{operator.tenant}"\n' + POLICY.replace("Support", "Sales"))
    )
    assert (second["changed"], second["replaces"]) == (True, first["policy"])
    shown = operator.printed("policy", "show", "--tenant", operator.tenant)
    assert (shown["policy"], shown["rules"][0]["roles"]) == (second["policy"], ["Sales"])
    assert [fact.replaces for fact in operator.log()] == [None, first["policy"]]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[[rules]]\napp_id = "zzz"\nvalidity = "all_staff"\n', "no workspace zzz. Its workspaces: abc12345"),
        ('[[rules]]\napp_id = "abc12345"\nvalidity = "some_staff"\n', "some_staff.*is none of all_staff"),
        ('[[rules]]\napp_id = "abc12345"\nvalidity = "staff_roles"\n', "needs roles"),
        (POLICY + POLICY, "more than one rule"),
        ("rules = 1", "no policy"),
        ("[[rules]", "no policy"),
        ('[[rules]]\napp_id = "abc12345"\nvalidity = "all_staff"\nrolls = ["x"]\n', "rolls"),
        ('tenant = "other"\n' + POLICY, "policy of tenant 'other'"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(operator: Operator, text: str, why: str):
    error = operator.types("policy", "apply", operator.file("policy.toml", text), "--tenant", operator.tenant).exception
    assert isinstance(error, BadConfiguration)
    with pytest.raises(BadConfiguration, match=why):
        raise error


def test_without_kafka_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")
    operator = Operator(tmp_path, KafkaSettings(bootstrap="127.0.0.1:1"))
    error = operator.types("staff", "import", operator.file("staff.csv", STAFF), "--tenant", operator.tenant).exception
    assert isinstance(error, Unavailable)
    assert "127.0.0.1:1" in str(error)


def test_the_configuration_is_announced_once_per_change(operator: Operator):
    def tenancy(*app_ids: str) -> Tenancy:
        return Tenancy.of(
            (), [Tenant(id=operator.tenant, workspaces=tuple(Workspace(app_id=app_id, app="support") for app_id in app_ids))]
        )

    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy("a"))) == 1
    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy("a"))) == 0
    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy("a", "b"))) == 1
    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy("a"))) == 1
    log = operator.log()
    assert [fact.settings.workspaces for fact in log if fact.settings] == [("a",), ("a", "b"), ("a",)]
    assert len({fact.id for fact in log}) == 3


def test_a_calendar_is_announced_once_before_the_settings_that_name_it(operator: Operator):
    def tenancy(**calendar: Any) -> Tenancy:
        calendars = (
            WorkCalendar(id="fr", country="FR", zone="Europe/Paris", **calendar),
            WorkCalendar(id="in", zone="Asia/Kolkata"),
        )
        return Tenancy.of((), [Tenant(id=operator.tenant, calendars=calendars, calendar="fr")])

    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy())) == 3
    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy())) == 0
    assert asyncio.run(sync_settings_facts(operator.kafka, AVRO, tenancy(extra_days=("2026-12-24",)))) == 1
    kinds = [(fact.kind, fact.calendar and fact.calendar.id) for fact in operator.log()]
    assert kinds == [("calendar.set", "fr"), ("calendar.set", "in"), ("settings.applied", None), ("calendar.set", "fr")]
    assert operator.log()[2].settings.further["calendar"] == "fr"
