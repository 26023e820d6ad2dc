"""Which rows of activities say the same in two generations."""

import pytest

from schemas.activities.messages import OwnerRow
from schemas.profiles.registers import ERASED, Assignment
from streams.agents.activities.ownership import own_profile
from streams.agents.rebuilt.activity_rows import comparable
from tests.support.tenancy import TENANCY

CONTACT, COMPANY = "abc12345:c1", "abc12345:@company:o1"


@pytest.mark.parametrize("subject", [CONTACT, COMPANY])
def test_who_came_back_from_another_profile_is_whose_it_would_be_without_a_row(subject: str) -> None:
    own = own_profile(TENANCY.tenant_of(subject) or "", subject)
    assert comparable(subject, "", OwnerRow(Assignment(2, own)), tenancy=TENANCY) is None
    assert comparable(subject, "", OwnerRow(Assignment(1, "another")), tenancy=TENANCY) == b"another"
    assert comparable(subject, "", OwnerRow(ERASED), tenancy=TENANCY) is not None
