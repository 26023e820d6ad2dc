"""Every metric of the product, in one table: what it counts, and the name under which it is scraped.

No label contains an id, a name or an address of a person. Each process exposes all of them at /metrics, without samples for those
that it does not set. Names begin with `intercom_streams_`; those of counters end in `_total` on the page.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# 50 ms and 500 ms are the targets for an answer; after 250 ms the spool takes over, after 5 s Intercom gives up.
_ANSWER_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# A transaction takes tens of milliseconds; it times out after 10 s.
# A record is some 20 ms old when an idle agent has committed what follows from it; hours after an outage.
_AGE_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
_BATCH_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)


def _count(name: str, about: str, *labels: str) -> Counter:
    return Counter(f"intercom_streams_{name}", about, labels)


def _level(name: str, about: str, *labels: str) -> Gauge:
    return Gauge(f"intercom_streams_{name}", about, labels)


def _spread(name: str, about: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
    return Histogram(f"intercom_streams_{name}", about, labels, buckets=buckets)


INGRESS_ANSWERS = _count("ingress_answers", "Answers given, by HTTP status.", "status")
INGRESS_DISCONNECTED = _count("ingress_gone", "Posts whose sender hung up, or was cut off, before the body was complete.")
INGRESS_SECONDS = _spread("ingress_answer_seconds", "Time from a request's headers to its answer.", _ANSWER_SECONDS)
INGRESS_POSTS = _count("ingress_posts", "Posts kept for the agents, by Intercom topic.", "topic")
INGRESS_QUARANTINED = _count(
    "ingress_quarantined", "Posts kept in intercom.other, by reason and what they name.", "reason", "name"
)
INGRESS_REFUSED = _count("ingress_refused", "Posts answered 503: neither Kafka nor the spool could keep them. Alert on any.")
INGRESS_PERSISTED = _count("ingress_kept", "Posts kept, by where they were when they were answered: kafka or spool.", "where")
INGRESS_DRAINED = _count("ingress_drained", "Records that went from the spool to Kafka.")
INGRESS_SPOOL_BYTES = _level("ingress_spool_bytes", "Bytes that wait in the spool.")
INGRESS_SPOOL_LIMIT = _level("ingress_spool_limit_bytes", "Bytes that the spool may hold; beyond them posts are answered 503.")
INGRESS_SPOOL_ASIDE = _level(
    "ingress_spool_aside", "Groups of records in the spool that can be neither read nor sent. Alert on any."
)
INGRESS_SPOOL_DAMAGED = _count("ingress_spool_damaged", "Spool files moved aside because they were damaged. Alert on any.")
INGRESS_BREAKER_OPEN = _level("ingress_breaker_open", "1 while posts go to the spool at once because Kafka is slow or away.")
INGRESS_BREAKER_TRIPS = _count("ingress_breaker_trips", "How often Kafka became too slow or went away.")
INGRESS_PRODUCERS = _count("ingress_producers_replaced", "Kafka producers thrown away for an error they cannot recover from.")
INGRESS_TOPICS_MISSING = _level("ingress_topics_missing", "Topics of the ingress that the broker does not have.")

SCIM_ANSWERS = _count("scim_answers", "Answers to identity providers, by method and HTTP status.", "method", "status")
SCIM_SECONDS = _spread("scim_answer_seconds", "Time from a SCIM request's headers to its answer.", _ANSWER_SECONDS)
SCIM_FACTS = _count("scim_facts", "Facts written for identity providers.")
SCIM_LEADS_LOST = _count("scim_leads_lost", "Writes decided again because another instance had written.")
SCIM_RESOURCES = _level("scim_resources", "Users and groups of all sources, as this process has read them.", "kind")

REST_CALLS = _count("rest_calls", "Answers of Intercom's REST API, by class of status.", "status")
REST_RETRIES = _count(
    "rest_retries",
    "Reads of Intercom's REST API that were repeated, by reason: throttled, connection, server_error, no_json, redirected, "
    "listing_restarted.",
    "reason",
)

SYNC_READS = _count(
    "sync_reads",
    "What agents asked to be read from Intercom, by what became of it: served, failed, refused, held, no_token.",
    "status",
)
SYNC_PAGES = _count("sync_pages", "Pages read from Intercom's lists, by type of object.", "object")
REST_BUDGET = _level(
    "rest_budget_share", "Share of a workspace's calls that is left in the present window of its rate limit.", "app_id"
)
SYNC_SILENT = _level(
    "sync_silent", "1 while a workspace's webhooks are missing, though Intercom shows changes. Alert on any.", "app_id"
)
SYNC_COMPLETENESS = _level(
    "sync_completeness",
    "Per cent of a workspace's objects that the latest reconciliation found right in the tables: before, and after its repairs. Alert on after < 100.",
    "app_id",
    "object",
    "when",
)

WEBHOOK_POSTS = _count(
    "webhook_posts",
    "Posts to webhook endpoints, by what became of them: accepted, refused (answered with another status), away (not answered, or overloaded), "
    "gone (410).",
    "endpoint",
    "result",
)
WEBHOOK_AGE = _spread("webhook_age_seconds", "Age of an event when its endpoint accepted it.", _AGE_SECONDS, "endpoint")
WEBHOOK_GIVEN_UP = _count("webhook_given_up", "Events that an endpoint refused until they became dead letters.", "endpoint")
WEBHOOK_WAITING = _level("webhook_waiting", "Events read for an endpoint that it has not accepted yet.", "endpoint")
WEBHOOK_BEHIND = _level("webhook_behind_seconds", "Age of the oldest event that an endpoint has not accepted yet.", "endpoint")
WEBHOOK_PAUSED = _level("webhook_paused", "1 while an endpoint is paused: its events stay in Kafka.", "endpoint")
EVENTS_MISSED = _count(
    "webhook_offsets_missed",
    "Offsets that were deleted from Kafka before they were delivered to an endpoint or file. Alert on any.",
    "endpoint",
)
EVENT_FILE_LINES = _count("event_file_lines", "Lines appended to files of events, by tenant.", "tenant")
EVENT_FILE_FAILING = _level("event_file_failing", "1 while a tenant's file of events cannot be written.", "tenant")

RECORDS = _count("records", "Records that an agent committed, without dead letters.", "agent")
DEAD_LETTERS = _count("dead_letters", "Records that an agent could not process, written to dead.letters.", "agent")
BATCH_SECONDS = _spread("batch_seconds", "Time of one transaction, from the first record to the commit.", _BATCH_SECONDS, "agent")
RECORD_AGE = _spread(
    "record_age_seconds",
    "Age of the oldest record of a transaction when what followed from it was committed.",
    _AGE_SECONDS,
    "agent",
)
PARTITION_STOPPED = _level(
    "partition_stopped", "1 while an agent's partition is stopped and waits for a person; /ready says why.", "agent", "partition"
)
PARTITION_LIVE = _level(
    "partition_live", "1 while an agent's partition is processed, 0 while it recovers or is stopped.", "agent", "partition"
)
PARTITION_FAILURES = _count(
    "partition_failures",
    "Partitions that were loaded again because their transaction or their table failed, by reason.",
    "agent",
    "reason",
)
PARTITION_LAG = _level("partition_lag", "Records that an agent has not read yet, by partition.", "agent", "partition")
PARTITION_PENDING_WORK = _level(
    "partition_pending_work",
    "Units of work larger than a transaction that an agent has begun and not ended, by partition.",
    "agent",
    "partition",
)
PARTITION_WAKE_OVERDUE = _level(
    "partition_wake_overdue_seconds",
    "For how long something that an agent does at an instant has been due, by partition: a deadline, a round, or what expires on a day.",
    "agent",
    "partition",
)
CONTINUED = _count(
    "continued", "Transactions of work that is larger than one transaction: this has to grow while such work is pending.", "agent"
)
STEP_NOTES = _count(
    "step_notes",
    "What agents met that stops nothing, by name: condition_failed is a profile whose selection could not be decided, violation_opened_C1 a finding of check C1 that was opened.",
    "agent",
    "name",
)
TABLE_ROWS = _level("table_rows", "Rows that an agent holds, by partition.", "agent", "partition")
RESTORE_READ = _level("restore_offsets_read", "Changelog offsets read so far, while an agent's tables are restored.", "agent")
RESTORE_OF = _level("restore_offsets", "Changelog offsets to be read in all, while an agent's tables are restored.", "agent")
STANDBY_LAG = _level(
    "standby_lag", "Changelog offsets by which the copy of another worker's table is behind, by partition.", "agent", "partition"
)

Instrument = Counter | Gauge | Histogram

METRICS: Final[tuple[Instrument, ...]] = (
    INGRESS_ANSWERS, INGRESS_DISCONNECTED, INGRESS_SECONDS, INGRESS_POSTS, INGRESS_QUARANTINED, INGRESS_REFUSED,
    INGRESS_PERSISTED, INGRESS_DRAINED, INGRESS_SPOOL_BYTES, INGRESS_SPOOL_LIMIT, INGRESS_SPOOL_ASIDE, INGRESS_SPOOL_DAMAGED, INGRESS_BREAKER_OPEN,
    INGRESS_BREAKER_TRIPS, INGRESS_PRODUCERS, INGRESS_TOPICS_MISSING, SCIM_ANSWERS, SCIM_SECONDS,
    SCIM_FACTS, SCIM_LEADS_LOST, SCIM_RESOURCES, REST_CALLS, REST_RETRIES, SYNC_READS, SYNC_PAGES, REST_BUDGET, SYNC_SILENT, SYNC_COMPLETENESS,
    WEBHOOK_POSTS, WEBHOOK_AGE, WEBHOOK_GIVEN_UP, WEBHOOK_WAITING, WEBHOOK_BEHIND, WEBHOOK_PAUSED, EVENTS_MISSED, EVENT_FILE_LINES, EVENT_FILE_FAILING,
    RECORDS, DEAD_LETTERS, BATCH_SECONDS, RECORD_AGE, PARTITION_STOPPED, PARTITION_LIVE,
    PARTITION_FAILURES, PARTITION_LAG, PARTITION_PENDING_WORK, PARTITION_WAKE_OVERDUE, CONTINUED, STEP_NOTES, TABLE_ROWS, RESTORE_READ, RESTORE_OF, STANDBY_LAG,
)  # fmt: skip
