"""Short form of `scripts/faults --kind webhooks`, which kills twenty times."""

from connectors.kafka.settings import KafkaSettings
from tests.support.webhooks.campaign import broken_promises, kill_campaign
from tests.support.webhooks.findings import finding_event
from tests.support.webhooks.receiver import Post


def test_killed_at_two_moments_with_a_receiver_that_fails_half_of_the_time_every_event_arrives_in_order(kafka, prefix, tmp_path):
    counts = kill_campaign(
        KafkaSettings(bootstrap=kafka, topic_prefix=prefix), tmp_path, kills=2, findings=12, each=3, seed=11, most=2
    )
    assert counts["kills"] == 2


def test_the_campaign_sees_what_is_lost_out_of_order_unsigned_and_renamed():
    first, second = finding_event("f", 1), finding_event("f", 2)
    expected = {event.id: event for event in (first, second)}

    def post(event, status=204, id_=None):
        body = b'{"data":' + event.value + b"}"
        return Post(id_ or event.id, body, {"webhook-id": "", "webhook-timestamp": "1", "webhook-signature": "v1,x"}, status)

    def words(*posts):
        return " ".join(broken_promises(list(posts), expected))

    assert "2 never arrived" in words(post(first), post(second, 500))
    assert "2 was posted when only 0 had been accepted" in words(post(first, 500), post(second), post(first))
    assert "is not signed" in words(post(first))
    assert "names two bodies" in words(post(first), post(second, id_=first.id))
    assert "was never committed" in words(post(finding_event("f", 3)))
