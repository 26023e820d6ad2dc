"""`access monitor start` against a real Kafka."""

from tests.streams.cli.operator import Operator


def test_monitoring_is_started_once_by_a_decision_in_the_log(operator: Operator):
    assert operator.printed("access", "monitor", "start", "--tenant", operator.tenant) == {
        "tenant": operator.tenant,
        "changed": True,
    }
    (fact,) = operator.log()
    assert (fact.kind, fact.basis, fact.time) == ("monitoring.started", "decided", None)
    assert operator.printed("access", "monitor", "start", "--tenant", operator.tenant)["changed"] is False
    assert len(operator.log()) == 1


def test_it_names_the_tenants_where_it_does_not_know_which(operator: Operator):
    result = operator.types("access", "monitor", "start", "--tenant", "nobody")
    assert "No tenant 'nobody' is configured" in str(result.exception)
    assert operator.log() == []
