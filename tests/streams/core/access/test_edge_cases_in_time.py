"""The numbered edge cases of access checks that are about deadlines and dates."""

from zoneinfo import ZoneInfo

from connectors.staff.csv.dates import DateRules
from connectors.staff.csv.facts import StaffImport, records
from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.parse_row import rows
from connectors.staff.csv.read_file import read
from schemas.access.facts import Actor
from streams.core.normal_forms.addresses import normal
from tests.streams.core.access.deadlines import grace
from tests.support.company import DAY, T0, TENANT, Company, everyone, roles, story

JO = "jo@acme.example"
HOUR = DAY // 24


def test_case_13_a_policy_that_changes_while_a_finding_is_due_moves_no_deadline_and_deleting_it_supersedes_the_finding():
    company = Company()
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO)
    (opened,) = [each for each in company.policy(roles("Sales", grace=grace(C4="2 days"))) if each["unmapped"]["check"] == "C4"]
    (updated,) = company.policy(roles("Sales", grace=grace(C4="9 days")))
    assert (opened["unmapped"]["result"], updated["unmapped"]["due_time"]) == ("DUE", opened["unmapped"]["due_time"])
    assert story(company.policy()) == ["C3 ws1 updated", "C4 7 closed superseded"]
    assert company.tick(company.clock + 9 * DAY) == []


def test_case_17_an_end_that_is_moved_once_its_finding_is_open_is_a_correction_and_moves_no_deadline():
    company = Company()
    company.policy(everyone(grace=grace(C2="2 days")))
    ends = company.clock + 5 * DAY
    company.staff("77", JO, ends=ends)
    company.added("7", JO)
    (opened,) = company.tick(ends)
    (moved,) = company.staff("77", JO, at=T0 + DAY, ends=ends - DAY)
    assert story([opened, moved]) == ["C2 7 opened", "C2 7 updated"]
    assert (moved["start_time"], moved["time"], opened["time"]) == (ends - DAY, ends, ends)
    assert opened["unmapped"]["due_time"] == moved["unmapped"]["due_time"] == ends + 2 * DAY
    assert [each["time"] for each in company.tick(ends + 9 * DAY)] == [ends + 36 * HOUR, ends + 2 * DAY]


def test_case_18_an_end_without_a_time_zone_has_that_of_its_source_and_the_evidence_shows_it(tmp_path):
    (tmp_path / "staff.csv").write_text("id,email,end\n77,jo@acme.example,2026-01-20\n")
    form = StaffFileForm(dates=DateRules(ZoneInfo("America/New_York")))
    file = read(tmp_path / "staff.csv")
    good, _ = rows(file, form, normalize=normal)
    actor = Actor(kind="operator", id="command line")
    company = Company()
    company.added("7", JO)
    for fact in records(StaffImport(tenant=TENANT, source="hr", as_of=T0, file=file, actor=actor), good):
        company.add(fact)
    midnight = T0 + 20 * DAY + 5 * HOUR  # the end of 20 January in New York
    assert company.tick(midnight - 1) == []
    (finding,) = company.tick(midnight)
    assert finding["time"] == midnight
    cited = next(each["data"]["cites"] for each in finding["evidences"] if each["data"].get("kind") == "staff.record")
    assert (cited["ends_given"], cited["ends_zone"], cited["ends_rule"]) == ("2026-01-20", "America/New_York", "end_of_day")
    assert cited["ends"] == "2026-01-21T05:00:00.000Z"
