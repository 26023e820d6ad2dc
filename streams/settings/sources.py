"""The parts `[[tenants.sources]]`: the other systems that write records of people and organisations."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from schemas.tenancy import Tenant
from streams.settings.parse import Report

_LONGEST: Final = 64  # characters of a name


def check_record_sources(tenants: Sequence[Tenant], report: Report) -> None:
    """Report names that cannot be the beginning of a record's key, and those that do not say whose the record is."""
    taken = Counter(source.name for tenant in tenants for source in tenant.sources)
    taken.update({workspace.app_id for tenant in tenants for workspace in tenant.workspaces})
    for at, tenant in enumerate(tenants):
        for number, source in enumerate(tenant.sources):
            path, name = f"tenants[{at}].sources[{number}].name", source.name
            if not name or len(name) > _LONGEST or not name.isprintable() or any(character in "|:* " for character in name):
                report(path, f"expected a short name without |, :, * and blanks (it begins keys), at most {_LONGEST} characters")
            elif taken[name] > 1:
                report(path, f"{name!r} is the name of another source, or a workspace's app_id; each needs its own")
