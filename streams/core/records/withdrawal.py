"""Withdrawal of a source: its records count no longer, until the source sends them again.

A withdrawn record has a mark. The record's own log decides what came before the withdrawal and what after it; the marks that
follow from that are registers like any other, so those who join them need not know the order.
"""

from typing import Final

from schemas.profiles.registers import Registers
from schemas.profiles.version import Rank, Version
from streams.core.records.registers import edge_registers, version_of

_MARK: Final = "withdrawn"
_SECOND: Final = 1000
_APART: Final = 2  # seconds between two withdrawals at least: in the one behind a withdrawal lies the mark that ends it


def withdrawal(event: str, time: int, earlier: Registers) -> Registers:
    """Return the mark of a withdrawal; it is later than an earlier one, whatever the clocks say that they had."""
    second, millisecond = divmod(time, _SECOND)
    before = version_of(earlier.on, _MARK)
    if before is not None and second < before.second + _APART:
        second, millisecond = before.second + _APART, 0
    return edge_registers(Version(second, int(Rank.DELETE), millisecond, 0, event), [_MARK], on=True)


def sent_again(mark: Registers) -> Registers:
    """Return what ends a withdrawal: a mark of the next second, so that the two are in no doubt about their order."""
    return Registers(off=tuple((version._replace(second=version.second + 1), names) for version, names in mark.on))


def is_withdrawn(registers: Registers) -> bool:
    """Return whether a record is withdrawn, and not sent again since."""
    withdrawn = version_of(registers.on, _MARK)
    if withdrawn is None:
        return False
    again = version_of(registers.off, _MARK)
    return again is None or again < withdrawn
