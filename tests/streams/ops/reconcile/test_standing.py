"""Why a row is not as Intercom shows the object."""

import pytest

from schemas.profiles.policies import ProfilePolicy
from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.profiles.people import PERSON
from streams.core.profiles.storage import storage_of
from streams.core.records.registers import edge_registers, field_registers, join, list_registers
from streams.ops.reconcile.standing import ComparedRow, RowStanding, compare_row

BEFORE, AFTER = (Version(second, int(Rank.SNAPSHOT), 0, 0, "x") for second in (100, 200))
ADA = {"name": "Ada", "phone": "1", "last_seen_at": 5}
DENIES_PHONES = storage_of(ProfilePolicy(deny=("phone",)), texts=PERSON.texts, key=b"")
STORES_NOTHING = storage_of(ProfilePolicy(enabled=False), texts=PERSON.texts, key=b"")


def compared(row: Registers | None, asserted: Registers, storage: object = None, *, listed: bool = True) -> ComparedRow:
    return compare_row(row, asserted, storage, 200, listed=listed, edges_announced=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "standing"),
    [
        pytest.param(field_registers(AFTER, ADA), RowStanding.RIGHT, id="the same"),
        pytest.param(field_registers(BEFORE, ADA), RowStanding.RIGHT, id="the same, of an earlier time"),
        pytest.param(None, RowStanding.MISSED, id="no row"),
        pytest.param(field_registers(BEFORE, ADA | {"name": "A."}), RowStanding.MISSED, id="an earlier name"),
        pytest.param(field_registers(BEFORE, ADA | {"last_seen_at": 4}), RowStanding.UNANNOUNCED, id="a quiet field"),
        pytest.param(field_registers(BEFORE, ADA | {"last_seen_at": 4, "name": "A."}), RowStanding.MISSED, id="a quiet field and another"),
        pytest.param(field_registers(AFTER, {"name": "Ada", "phone": "1"}), RowStanding.UNANNOUNCED, id="the change came, without a field"),
        pytest.param(join(field_registers(AFTER, ADA), edge_registers(BEFORE, ["archived"], on=True)), RowStanding.MISSED, id="archived here"),
    ],
)  # fmt: skip
def test_a_row_stands_to_what_a_list_has(row: Registers | None, standing: RowStanding):
    assert compared(row, field_registers(AFTER, ADA)).standing is standing


def test_an_edge_has_a_webhook_of_its_own():
    asserted = join(field_registers(AFTER, ADA), list_registers(AFTER, {"tag": ["1"]}))
    row = join(field_registers(AFTER, ADA), edge_registers(BEFORE, ["tag:1", "tag:2"], on=True))
    assert compared(row, asserted) == ComparedRow(RowStanding.MISSED, repairs=True)


def test_a_row_that_is_newer_than_the_list_is_not_repaired_by_it():
    newer = field_registers(Version(300, int(Rank.SNAPSHOT), 0, 0, "n"), ADA | {"name": "Ada King"})
    assert compared(newer, field_registers(AFTER, ADA)) == ComparedRow(RowStanding.UNANNOUNCED, repairs=False)


def test_what_lists_show_is_asked_for_by_id_where_the_row_has_it_that_it_is_gone():
    row = join(field_registers(AFTER, ADA), edge_registers(AFTER, ["archived"], on=True))
    assert compared(row, field_registers(AFTER, ADA)) == ComparedRow(RowStanding.MISSED, repairs=False)
    assert (
        compared(row, join(field_registers(AFTER, ADA), edge_registers(AFTER, ["archived"], on=True)), listed=False).standing
        is RowStanding.RIGHT
    )


def test_what_a_policy_denies_is_no_fault():
    row = field_registers(AFTER, {"name": "Ada", "last_seen_at": 5})
    assert compared(row, field_registers(AFTER, ADA), DENIES_PHONES).standing is RowStanding.POLICY
    assert compared(row, field_registers(AFTER, ADA | {"name": "Bo"}), DENIES_PHONES).standing is not RowStanding.POLICY
    assert compared(None, field_registers(AFTER, ADA), STORES_NOTHING).standing is RowStanding.POLICY
