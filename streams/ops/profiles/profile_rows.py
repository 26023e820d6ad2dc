"""The rows that the agent of a kind of profiles has of one profile, from the partition of its changelog that has them."""

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.profiles.policies import PROFILE_TOPICS
from schemas.profiles.registers import ProfileTableRow, SourceRecordRow
from streams.agents.profiles import ROW
from streams.ops.profiles.live_topics import LiveTopics


async def profile_rows(
    kafka: KafkaSettings, live: LiveTopics, *, kind: str, profile: str, read: dict[str, int] | None = None
) -> dict[str, ProfileTableRow]:
    """Return the rows by item: the profile's own under the empty text, and those of its records, also of such as have moved away.

    `read` counts them by topic.
    """
    changelog = live.changelog(PROFILE_TOPICS[kind])
    if changelog not in live.present:
        return {}
    rows: dict[str, bytes | None] = {}
    for record in await read_to_end(kafka, changelog, lambda record: record, keys=[], groups=[profile.encode()]):
        rows[record.key.decode().partition("|")[2]] = record.value
    if read is not None:
        read[changelog] = len(rows)
    return {item: ROW.decode(value) for item, value in rows.items() if value}


def present_records(rows: dict[str, ProfileTableRow], profile: str) -> dict[str, SourceRecordRow]:
    """Return the rows of the records that are of the profile now."""
    found = {key: row.row for key, row in rows.items() if key and row.row is not None}
    return {key: row for key, row in found.items() if row.assignment.profile == profile}
