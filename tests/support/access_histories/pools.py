"""The values that generated histories draw from: few, so that the same address, number and person come up again and again."""

from typing import Any, Final

TENANT: Final = "acme"
HOUR: Final = 3_600_000
DAY: Final = 86_400_000
EARLY: Final = 1_767_225_600_000  # 2026-01-01
LOG_START: Final = 1_768_089_600_000  # 2026-01-11

WORKSPACES: Final = ("ws1", "ws2")
ACCOUNTS: Final = ("1", "2", "3")
ADDRESSES: Final = ("ann@x.example", "bob@x.example", "old@x.example", "ann@y.example", "personal@y.example")
ALIAS_DOMAINS: Final = {"y.example": "x.example"}
SOURCES: Final = ("hr", "idp", "scim")
RECORDS: Final = ("1", "2", "3")
NUMBERS: Final = ("e1", "e2")
ROLES: Final = ("A", "B")
INTERCOM_ROLES: Final = ("Admin", "Agent")
INTERCOM_ROLE_IDS: Final = {"Admin": "r1", "Agent": "r2"}
# Source times: before the log, in one second with another, at about the log's start, and ahead of it.
TIMES: Final = (
    EARLY, EARLY + DAY, EARLY + DAY + 400, EARLY + 2 * DAY, EARLY + 4 * DAY, EARLY + 6 * DAY,
    LOG_START - HOUR, LOG_START, LOG_START + 60_000, LOG_START + HOUR,
)  # fmt: skip
ENDS: Final = (
    EARLY + DAY, EARLY + 3 * DAY, LOG_START + HOUR // 3, LOG_START + HOUR, LOG_START + 2 * HOUR, LOG_START + 30 * DAY,
)  # fmt: skip
# No two log times differ by exactly ten minutes or an hour: the design does not say whether "within" includes those bounds.
STEPS: Final = (0, 1_007, 61_007, 61_013, 61_031, 121_021, 421_019, 613_021, 3_700_039)
STEP_WEIGHTS: Final = (6, 10, 30, 20, 10, 8, 4, 3, 2)
INTERVALS: Final = (60_000, 7 * 60_000, 20 * 60_000, 2 * HOUR, 2 * DAY)  # of staff sources
LATER_KINDS: Final = (
    "calendar.set", "rules.activated", "monitoring.started", "snapshot.confirmed", "staff.decided",
    "exemption.granted", "exemption.revoked", "approval.granted", "approval.revoked", "finding.handled", "calendar.set",
    "rules.activated", "monitoring.started",
)  # fmt: skip
ZONES: Final = ("Asia/Tokyo", "America/New_York", "Europe/Paris")
CALENDARS: Final[dict[str, dict[str, Any]]] = {
    "FR": {"zone": "Europe/Paris", "offsets": [{"starts": 0, "seconds": 3_600}], "weekend": [6, 7],
           "holidays": ["2026-01-01", "2026-01-12"], "valid_until": "2026-12-31"},
    "JP": {"zone": "Asia/Tokyo", "offsets": [{"starts": 0, "seconds": 32_400}], "weekend": [6, 7],
           "holidays": ["2026-01-12"], "valid_until": "2026-12-31"},
    # a zone whose clocks change on Monday 2026-01-12 at 05:00 UTC, so that days of this calendar have another length
    "US": {"zone": "America/New_York", "offsets": [{"starts": 0, "seconds": -18_000}, {"starts": 1_768_194_000_000, "seconds": -14_400}],
           "weekend": [5, 6], "holidays": ["2026-01-05"], "valid_until": "2026-12-31"},
}  # fmt: skip
