"""The parts that a history can have beside its first ones. Tests that name a seed may be about histories without some of them."""

from typing import Final

GRACE: Final = "grace"  # deadlines, calendars
WINDOWS: Final = "windows"  # rules of a policy with a start and an end
ROLES: Final = "roles"  # Intercom roles by staff role, by id and by name
APPROVALS: Final = "approvals"
EXEMPTIONS: Final = "exemptions"
CLASSIFIED: Final = "classified"  # owner and end of a classification, accounts classified as a person's
DECIDED: Final = "decided"  # which source is right
HANDLED: Final = "handled"  # findings acknowledged, assigned, commented
BASELINE: Final = "baseline"  # the start of monitoring
WITHDRAWN: Final = "withdrawn"  # single records that their source no longer has
CHOSEN: Final = "chosen"  # roles chosen for teammates
ALL_PARTS: Final = frozenset(
    {GRACE, WINDOWS, ROLES, APPROVALS, EXEMPTIONS, CLASSIFIED, DECIDED, HANDLED, BASELINE, WITHDRAWN, CHOSEN}
)
FIRST_PARTS: Final = frozenset[str]()
