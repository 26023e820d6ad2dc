"""A company of so many staff: its directory as a file, the same with leavers, its teammates, and the findings that must follow."""

import csv
from collections.abc import Iterator
from pathlib import Path

import msgspec

from bench.product import APP_ID
from connectors.simulator import payloads

_BEGAN_S = 1_760_000_000
_LEFT = "2026-03-31"
_ROLES = ("Support", "Sales", "Engineering", "Finance")
_COLUMNS = ("id", "email", "name", "role", "department", "employee number", "start", "end", "status")


class Company(msgspec.Struct, frozen=True, kw_only=True):
    """How many staff, teammates, teammates nobody knows, and leavers. The first staff have accounts, and the first of them leave."""

    staff: int
    teammates: int
    unknown: int
    leavers: int

    @property
    def leavers_with_accounts(self) -> int:
        return min(self.leavers, self.teammates - self.unknown)


def company_of(staff: int) -> Company:
    """Return a company of so many staff: one in ten has an account, a tenth of these nobody knows, one in a hundred leaves."""
    teammates = max(10, staff // 10)
    return Company(staff=staff, teammates=teammates, unknown=max(1, teammates // 10), leavers=max(2, staff // 100))


def write_directory(company: Company, file: Path, *, leavers: int = 0) -> None:
    """Write the directory's file; the first `leavers` of it have left."""
    with file.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(_COLUMNS)
        for number in range(company.staff):
            has_left = number < leavers
            rows.writerow((
                f"hr-{number:06d}", _address(number), f"Staff {number}", _ROLES[number % len(_ROLES)], f"team {number % 40}",
                f"{number:06d}", "2024-01-15", _LEFT if has_left else "", "terminated" if has_left else "active",
            ))  # fmt: skip


def write_policy(file: Path) -> None:
    """Write a policy: all staff may have an account."""
    file.write_text(f'[[rules]]\napp_id = "{APP_ID}"\nvalidity = "all_staff"\n')


def teammates(company: Company, app_id: str = APP_ID) -> Iterator[bytes]:
    """Yield a post for each teammate: those of the directory first, then those nobody knows."""
    for number in range(company.teammates):
        known = number < company.teammates - company.unknown
        address = _address(number) if known else f"stranger.{number}@elsewhere.example"
        item = payloads.admin(id=5_000_000 + number, name=f"Teammate {number}", email=address)
        yield payloads.notification(
            "admin.added_to_workspace", item, id=f"notif-admin-{app_id}-{number:08d}", app_id=app_id, created_s=_BEGAN_S + number
        )


def _address(number: int) -> str:
    return f"staff.{number}@acme.example"
