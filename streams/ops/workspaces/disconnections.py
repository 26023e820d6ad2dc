"""What Intercom itself reports about apps and tokens of a workspace: an uninstall, a token that was revoked or made again.

It is in the activity log (`intercom.admins`), and an uninstall also in the app's own callback (`intercom.other`). Intercom then posts no more, so
somebody has to see it.
"""

from types import MappingProxyType
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.intercom.envelope import CONTENT_ENCODING, inflate
from schemas.message import header

_LOG: Final = "intercom.admin.activity_log_event.created"
_REPORTED: Final = MappingProxyType({
    "app_package_uninstallation": "app uninstalled",
    "oauth_token_revocation": "token revoked",
    "app_package_token_regeneration": "token made again",
})  # fmt: skip
_UNINSTALL: Final = "uninstall"


class Disconnection(msgspec.Struct, frozen=True, kw_only=True):
    """What was reported, and when it was received (ms). Which app it concerns is in the record at that place."""

    what: str
    time: int
    topic: str
    partition: int
    offset: int


class _Item(msgspec.Struct, frozen=True):
    activity_type: str = ""


class _Data(msgspec.Struct, frozen=True):
    item: _Item = _Item()


class _Activity(msgspec.Struct, frozen=True):
    app_id: str = ""
    workspace_id: str = ""
    topic: str = ""
    data: _Data = _Data()


_ACTIVITY: Final = msgspec.json.Decoder(_Activity)


async def disconnections(kafka: KafkaSettings) -> dict[str, Disconnection]:
    """Return the latest report of each workspace. Raises Unavailable."""
    found: dict[str, Disconnection] = {}
    for topic in ("intercom.admins", "intercom.other"):
        async with open_ranges(kafka, kafka.topic(topic)) as reader:
            async for record in reader.records():
                app_id, what = _report(record)
                if what and (app_id not in found or found[app_id].time <= record.timestamp):
                    found[app_id] = Disconnection(
                        what=what, time=record.timestamp, topic=topic, partition=record.partition, offset=record.offset
                    )
    return found


def _report(record: Any) -> tuple[str, str]:
    """Return the workspace and what is reported about it; nothing for every other record."""
    type_ = header(record.headers, "ce_type") or ""
    if type_ != _LOG and _UNINSTALL not in type_ and not type_.endswith(".callback"):
        return "", ""
    try:
        packed = header(record.headers, CONTENT_ENCODING) is not None
        activity = _ACTIVITY.decode(inflate(record.value) if packed else record.value or b"")
    except Exception:  # noqa: BLE001  # a body that cannot be read reports nothing; its topic keeps it
        return "", ""
    app_id = activity.app_id or activity.workspace_id
    if type_ == _LOG:
        return app_id, _REPORTED.get(activity.data.item.activity_type, "")
    return app_id, "app uninstalled" if _UNINSTALL in (activity.topic or type_) else ""
