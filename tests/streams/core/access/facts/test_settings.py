"""The configuration as a fact: appended when it says something else than the log, with what absence from a source means."""

import msgspec

from schemas.access.facts import AccessSettings, Calendar, Fact
from schemas.tenancy import FurtherCheck, GuardSettings, StaffSource, Tenancy, Tenant, WorkCalendar, Workspace
from streams.core.access.checks.further.switches import Switch, switches_of
from streams.core.access.facts.policy.calendars import calendar_fact
from streams.core.access.facts.settings import settings_fact
from streams.core.access.state.freshness import Freshness, freshness_of
from streams.core.access.state.read_settings import guard_of, regions_of, removed_calendars_of
from streams.core.access.state.staff import absence_of
from tests.support.company import APP, DAY, T0, Company, snapshot_facts

JO = "jo@acme.example"


def fact_of(*sources: StaffSource, before: tuple[Fact, ...] = ()) -> Fact | None:
    tenant = Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),), staff_sources=sources)
    return settings_fact(Tenancy.of((), (tenant,)), "acme", before, now=T0)


def test_the_same_configuration_is_appended_once_and_another_one_replaces_it():
    first = fact_of()
    assert first is not None
    assert fact_of(before=(first,)) is None
    second = fact_of(StaffSource(name="hr", absence="ended"), before=(first,))
    assert second is not None
    assert second.replaces == first.id
    assert second.settings is not None
    assert (absence_of(second.settings), second.settings.precedence) == ({"hr": "ended"}, ("hr",))


def test_how_a_source_reports_is_part_of_the_fact_unless_it_is_imported_by_hand():
    fact = fact_of(
        StaffSource(name="hr", freshness="interval", interval_hours=24),
        StaffSource(name="idp", freshness="push"),
        StaffSource(name="contractors"),
    )
    assert fact is not None
    assert fact.settings is not None
    assert freshness_of(fact.settings) == {"hr": Freshness("interval", DAY), "idp": Freshness("push")}
    assert fact_of(StaffSource(name="hr", freshness="interval"), before=(fact,)) is not None


def test_the_region_of_a_workspace_is_part_of_the_fact_unless_it_is_the_first_one():
    def of(region: str) -> Fact | None:
        tenant = Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support", region=region),))
        return settings_fact(Tenancy.of((), (tenant,)), "acme", (), now=T0)

    there, here = of("eu"), of("us")
    assert there is not None
    assert there.settings is not None
    assert regions_of(there.settings) == {APP: "eu"}
    assert here == fact_of(), "who has no other region has the same fact as before"


def test_the_limits_of_the_guard_are_part_of_the_fact_unless_they_are_those_that_hold_without():
    def of(**limits: int) -> Fact | None:
        tenant = Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),), guard=GuardSettings(**limits))
        return settings_fact(Tenancy.of((), (tenant,)), "acme", (), now=T0)

    other = of(percent=5)
    assert other is not None
    assert other.settings is not None
    assert guard_of(other.settings) == GuardSettings(heads=10, percent=5)
    assert of(heads=10, percent=20) == fact_of()


def test_the_form_of_files_is_no_part_of_the_fact():
    plain, declared = fact_of(StaffSource(name="hr")), fact_of(StaffSource(name="hr", zone="Europe/Paris", dates="dmy"))
    assert plain == declared


def test_who_is_missing_from_a_source_whose_absence_ends_employment_has_left():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    fact = fact_of(StaffSource(name="hr", absence="ended"))
    assert fact is not None
    company.add(fact)
    for missing in snapshot_facts(requested=T0 + DAY):
        found = company.add(missing)
    assert [(each["unmapped"]["check"], each["confidence_id"]) for each in found] == [("C2", 2)]
    assert {"name": "evidence", "value": "absence"} in found[0]["compliance"]["control_parameters"]


def test_who_is_missing_from_another_source_is_only_withdrawn():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    for missing in snapshot_facts(requested=T0 + DAY):
        company.add(missing)
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("FAIL", "UNKNOWN")


def test_absence_that_is_no_json_object_means_nothing():
    fact = fact_of()
    assert fact is not None
    assert fact.settings is not None
    for text in ("", "[", "[1]", '{"hr": 1}'):
        assert absence_of(msgspec.structs.replace(fact.settings, further={"absence": text})) == {}


def test_further_checks_of_the_configuration_reach_the_core_with_severities_as_numbers():
    checks = {"C6": FurtherCheck(), "C9": FurtherCheck(severity="low", accounts=("99",), days=5)}
    tenant = Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),), checks=checks)
    fact = settings_fact(Tenancy.of((), (tenant,)), "acme", (), now=T0)
    assert fact is not None
    assert switches_of(fact.settings) == {"C6": Switch(), "C9": Switch(severity=2, accounts=("99",), days=5)}
    assert settings_fact(Tenancy.of((), (tenant,)), "acme", (fact,), now=T0) is None


def test_a_calendar_is_set_where_the_log_has_another_and_not_for_another_release_of_the_list():
    calendar = Calendar(id="fr", made_by="holidays 1", valid_until="2028-12-31", holidays=("2026-07-14",))
    first = calendar_fact("acme", calendar, ())
    assert first is not None
    assert calendar_fact("acme", msgspec.structs.replace(calendar, made_by="holidays 2"), (first,)) is None
    changed = msgspec.structs.replace(calendar, holidays=("2026-07-14", "2026-12-24"))
    second = calendar_fact("acme", changed, (first,))
    assert second is not None
    again = calendar_fact("acme", calendar, (first, second))
    assert again is not None
    assert len({first.id, second.id, again.id}) == 3  # the first configuration again is another fact
    assert calendar_fact("acme", msgspec.structs.replace(calendar, id="de"), (first, second)) is not None


def test_the_default_calendar_is_part_of_the_settings():
    tenants = [Tenant(id="acme", calendar=calendar) for calendar in ("", "fr")]
    without, named = (settings_fact(Tenancy.of((), (tenant,)), "acme", (), now=T0) for tenant in tenants)
    assert without is not None
    assert named is not None
    assert without.settings is not None
    assert named.settings is not None
    assert (without.settings.further, named.settings.further) == ({"rules": '"5"'}, {"calendar": "fr", "rules": '"5"'})
    assert without.settings.hash != named.settings.hash


def test_a_calendar_that_left_the_configuration_is_named_in_the_settings_until_it_is_back():
    french, other = (Calendar(id=id_, made_by="t", valid_until="2028-12-31") for id_ in ("fr", "own"))
    configured = calendar_fact("acme", french, ())
    assert configured is not None
    of_others = msgspec.structs.replace(configured, id="another", source="hr system", calendar=other)
    before = (configured, of_others)

    def fact(*before: Fact, calendars: tuple[WorkCalendar, ...] = ()) -> Fact | None:
        return settings_fact(Tenancy.of((), (Tenant(id="acme", calendars=calendars),)), "acme", before, now=T0)

    has_it = fact(*before, calendars=(WorkCalendar(id="fr", zone="UTC"),))
    assert has_it is not None
    without = fact(*before, has_it)
    assert without is not None
    assert without.settings is not None
    assert removed_calendars_of(without.settings) == {"fr"}
    assert fact(*before, has_it, without) is None
    back = fact(*before, has_it, without, calendars=(WorkCalendar(id="fr", zone="UTC"),))
    assert back is not None
    assert back.settings == has_it.settings


def test_removed_calendars_that_make_no_sense_are_none():
    assert removed_calendars_of(AccessSettings(further={"removed_calendars": "{"}, hash="h")) == frozenset()
