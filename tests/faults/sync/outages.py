"""How long the outages of a campaign are: those of the suite are short, those of a long campaign as a user has them."""

from typing import NamedTuple


class Outages(NamedTuple):
    """For how many seconds there is no ingress, once its changes are made, and no Kafka."""

    ingress_s: float
    kafka_s: float


SHORT, LONG = Outages(0, 3), Outages(600, 60)
