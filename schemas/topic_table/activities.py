"""The topics of activities."""

from functools import partial
from typing import Final

from schemas.activities.messages import PATCH, RECORD
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
        name="activity.records", shared=True, codec=RECORD, key="app_id:contact_id|activity id; app_id:contact_id|=conversation; app_id:@company:company_id|… likewise", compact=True,
        written_by=("happenings", "conversations", "activities"), read_by=("activities",),
        about="each activity of each contact and company, and with whom its conversations are",
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
)  # fmt: skip
