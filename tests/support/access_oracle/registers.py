"""Small functions on times, addresses and registers. A register is a dict from the time of a value to the value."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

from schemas.ids import derived
from tests.support.access_oracle.log import Key

Value = TypeVar("Value")

HOUR: Final = 3_600_000
DAY: Final = 86_400_000
TEN_MINUTES: Final = 600_000
TWO_MINUTES: Final = 120_000
SECOND: Final = 1_000


def second(time: int) -> int:
    """Return the second of a time: the design compares the times of presence by the second."""
    return time // SECOND


def latest(*times: int | None) -> int:
    """Return the latest of the times that are known: an answer began when the last of its causes did."""
    return max(time for time in times if time is not None)


def start_of_run(register: Mapping[int, Value], test: Callable[[Value], bool]) -> int:
    """Return the earliest time of the last unbroken run of values that pass the test; the last value does."""
    start = max(register)
    for time in sorted(register, reverse=True):
        if not test(register[time]):
            break
        start = time
    return start


def normal(address: str) -> str:
    """Return an address as it is compared: no blanks around it, small letters, the domain in IDNA. A plus tag stays [N12]."""
    text = address.strip().lower()
    local, at, domain = text.rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode()
    return f"{local}{at}{domain}"


def translated(address: str, alias_domains: Mapping[str, str]) -> str:
    """Return an address with its domain replaced by the one it is declared to stand for. One step, no chains [N13]."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{alias_domains.get(domain, domain)}"


def staff_id(tenant: str, record: Key) -> str:
    """Return the id of the person that a record would be alone."""
    return derived(tenant, "staff", *record)
