"""Many records at one address: each further one reads what its own answers need, and not every other."""

from collections.abc import Sequence

import pytest

from streams.core.access.state import staff_reader
from tests.support.company import DAY, T0, Company

TEAM, JO = "team@acme.example", "jo@acme.example"
YESTERDAY = T0 + 9 * DAY


def records_read(monkeypatch: pytest.MonkeyPatch, others: int, sources: Sequence[str], ends: int | None) -> int:
    """Return how many records are read for one more at an address that so many others have."""
    company, read, keys = Company(), staff_reader.read_record, []
    for number in range(others):
        company.staff(str(number), TEAM, source=sources[number % len(sources)], ends=ends)

    def counted(row, *others):
        keys.append((row.source, row.id))
        return read(row, *others)

    with monkeypatch.context() as patch:
        patch.setattr(staff_reader, "read_record", counted)
        company.staff("new", TEAM, source=sources[0], ends=ends)
    return len(keys)


@pytest.mark.parametrize(
    ("sources", "ends"),
    [(["hr"], None), (["hr", "idp"], None), (["hr"], YESTERDAY)],
    ids=["one source", "two sources", "leavers"],
)
def test_a_record_reads_as_few_others_at_an_address_of_many_as_at_one_of_some(monkeypatch, sources, ends):
    assert records_read(monkeypatch, 60, sources, ends) == records_read(monkeypatch, 10, sources, ends) < 10


def test_a_leaver_who_might_be_the_owner_of_an_account_at_another_address_opens_c2_and_employed_again_closes_it():
    company = Company()
    for record in ("1", "2", "3"):  # several of one source share an address: none is known to be the one of the other source
        company.staff(record, TEAM)
    company.staff("jo", TEAM, JO, source="idp")
    company.added("7", JO)
    assert company.results()["C2 7"] == "PASS"
    company.staff("1", TEAM, at=T0 + DAY, ends=YESTERDAY)
    assert company.results()["C2 7"] == "UNKNOWN"
    company.staff("1", TEAM, at=T0 + 2 * DAY)
    assert company.results()["C2 7"] == "PASS"


def test_the_end_of_somebody_who_might_be_the_owner_opens_c2_when_it_comes():
    company = Company()
    ends = company.clock + DAY
    company.staff("1", TEAM, ends=ends)
    company.staff("2", TEAM)
    company.staff("3", TEAM)
    company.staff("jo", TEAM, JO, source="idp")
    company.added("7", JO)
    assert company.results()["C2 7"] == "PASS"
    company.tick(ends)
    assert company.results()["C2 7"] == "UNKNOWN"
