"""The topics of activities: what agents send each other, what is public, and what decides how long details are kept."""

from functools import partial
from typing import Final

from schemas.activities.messages import PATCH, RECORD
from schemas.activities.retention import RETENTION
from schemas.profiles.identity import ASSIGNMENT
from schemas.topic_table.row import DAY_MS, Encoding, Topic

_public: Final = partial(Topic, encoding=Encoding.AVRO)
_internal: Final = partial(Topic, encoding=Encoding.INTERNAL)

ACTIVITIES: Final = (
    _internal(
        name="activity.assignments", codec=ASSIGNMENT, key="app_id:contact_id; app_id:@company:company_id", compact=True,
        written_by=("identity",), read_by=("activities",),
        about="the same as contact.assignments, for the contact's activities; also of values that name a contact in activities",
    ),
    _internal(
        name="activity.records", shared=True, codec=RECORD, key="app_id:contact_id|activity id; app_id:contact_id|=conversation; app_id:contact_id|=ITEM for marks; app_id:@company:company_id|… likewise", compact=True,
        written_by=("happenings", "conversations", "activities"), read_by=("activities",),
        about="each activity of each contact and company, with whom its conversations are, and the marks of activities whose details have expired",
    ),
    _internal(
        name="activity.patches", codec=PATCH, key="profile id", retention_ms=7 * DAY_MS,
        written_by=("activities",), read_by=("timelines",),
        about="what changes in the activities of a person or organisation because of one contact or company",
    ),
    _public(
        name="activities", schema="activity", key="profile id|activity id", compact=True,
        written_by=("timelines",), read_by=("downstream", "projector"),
        about="what each person and organisation did, and what happened to them",
    ),
    _public(
        name="people.engagement", schema="engagement", key="profile id", compact=True,
        written_by=("timelines",), read_by=("downstream", "projector"),
        about="how many activities of each type a person has, and when the first and the last were",
    ),
    _public(
        name="orgs.engagement", schema="engagement", key="profile id", compact=True,
        written_by=("timelines",), read_by=("downstream", "projector"),
        about="how many activities of each type an organisation has, likewise",
    ),
    _internal(
        name="activity.policies", codec=RETENTION, key="tenant, in every partition", compact=True, every_partition=True,
        written_by=("operators",), read_by=("activities",),
        about="for how long the details of a tenant's activities are kept, by type, and by whom that was set",
    ),
    _internal(
        name="contact.wakes", key="none", retention_ms=7 * DAY_MS, log_append_time=True,
        written_by=("activities",), read_by=("activities",),
        about="that a day has come, which is all in the broker's timestamp: details expire by nothing else",
    ),
)  # fmt: skip
