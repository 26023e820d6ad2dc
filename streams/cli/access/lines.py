"""The lines of `access list`: an account, or a workspace, with the answers of its checks."""

from collections.abc import Collection, Mapping

import msgspec

from schemas.access.findings import CheckState
from streams.cli.access.teammates import Teammate


class AccessLine(msgspec.Struct, frozen=True, kw_only=True):
    """An account, or a workspace (without account), and the answers of its checks. No answer of a check means unknown, or not asked."""

    tenant: str
    app_id: str
    account: str | None
    name: str | None
    address: str | None
    role: str | None
    checks: dict[str, CheckState]

    def __repr__(self) -> str:
        return f"AccessLine({self.app_id!r}, {self.account!r}, ***)"


def lines_of(rows: Collection[CheckState], teammates: Mapping[tuple[str, str], Teammate]) -> list[AccessLine]:
    """Return a line for each subject of these answers, workspaces before their accounts."""
    subjects: dict[tuple[str, str, str], dict[str, CheckState]] = {}
    for row in rows:
        subjects.setdefault((row.tenant, row.app_id, row.account or ""), {})[row.check] = row
    lines = []
    for (tenant, app_id, account), checks in sorted(subjects.items()):
        known = teammates.get((app_id, account), Teammate())
        lines.append(
            AccessLine(
                tenant=tenant,
                app_id=app_id,
                account=account or None,
                name=known.name,
                address=known.address,
                role=known.role,
                checks=checks,
            )
        )
    return lines


def is_wanted(line: AccessLine, check: str | None, results: Collection[str]) -> bool:
    """Say whether a line has an answer of the check (any: None) with one of the results (any: none given)."""
    answers = [answer for name, answer in line.checks.items() if check in (None, name)]
    return any(not results or answer.result in results for answer in answers)
