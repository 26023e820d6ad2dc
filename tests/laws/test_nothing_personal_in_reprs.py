"""Law 9, for access: whatever ends up in a log line or a traceback shows nobody's name or address."""

from pathlib import Path

from connectors.staff.csv.file_form import StaffFileForm
from connectors.staff.csv.parse_row import rows
from connectors.staff.csv.read_file import read
from schemas.access.findings import CandidateData, FindingPersonalData
from streams.core.access.findings.build import Described
from streams.core.access.state.directory import Directory
from streams.core.access.state.history import moments
from streams.core.access.state.observation import whole
from streams.core.access.state.row_kinds.assertion import decoded
from streams.core.access.state.row_kinds.staff_rows import UnchangedRecord
from streams.core.access.state.tenant import TenantState
from streams.core.normal_forms.addresses import normal
from tests.support.company import APP, TENANT, Company, admin, person_of, staff

JO = "jo@acme.example"


def hidden(value: object) -> bool:
    return "acme.example" not in repr(value) and "Jo Lind" not in repr(value)


def test_facts_and_findings_hide_their_personal_part():
    assert hidden(admin("admin.added", "7", JO, name="Jo Lind"))
    assert hidden(staff("77", JO, name="Jo Lind"))
    assert hidden(
        FindingPersonalData(account_address=JO, candidates=(CandidateData(staff="1", name="Jo Lind", addresses=(JO,)),))
    )
    assert hidden(CandidateData(staff="1", name="Jo Lind", addresses=(JO,)))


def test_rows_of_the_table_and_staff_members_hide_what_they_hold():
    company = Company()
    company.added("7", JO, name="Jo Lind")
    company.staff("77", JO, name="Jo Lind")
    state = TenantState(company.table, TENANT)
    record = state.records.get("hr", "77")
    assert isinstance(record, UnchangedRecord)
    account = state.accounts.get(APP, "7")
    assert account is not None
    person = Directory(state).person_of(person_of("77"))
    assert person is not None
    described = Described.of(person, (), company.clock)
    assert (described.name, described.given) == ("Jo Lind", (JO,))
    values = [
        account,
        *account.addresses,
        *moments(account.addresses),
        record,
        whole(record),
        decoded(record.asserted),
        *whole(record).addresses,
        *person.records,
        person,
        described,
    ]
    assert all(hidden(value) for value in values)


def test_lines_and_rows_of_a_staff_file_hide_what_they_hold(tmp_path: Path):
    (tmp_path / "staff.csv").write_text(f"id,name,email\n77,Jo Lind,{JO}\n")
    file = read(tmp_path / "staff.csv")
    assert hidden(file)
    assert hidden(rows(file, StaffFileForm(), normalize=normal))
