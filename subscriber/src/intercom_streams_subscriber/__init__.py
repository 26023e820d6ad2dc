"""Findings of Intercom Streams, read from Kafka by the rules that every subscriber has to know."""

from intercom_streams_subscriber.coverage import Coverage, CoverageRow
from intercom_streams_subscriber.errors import SubscriberError, UnknownSchema, UnreadableRecord
from intercom_streams_subscriber.models import Finding
from intercom_streams_subscriber.order import Delivery, SeenFindings
from intercom_streams_subscriber.subscriber import Subscriber

__all__ = [
    "Coverage",
    "CoverageRow",
    "Delivery",
    "Finding",
    "SeenFindings",
    "Subscriber",
    "SubscriberError",
    "UnknownSchema",
    "UnreadableRecord",
]
