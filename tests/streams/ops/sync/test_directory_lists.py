from connectors.kafka.transaction import TopicRecord
from schemas.cloudevents import Origin
from schemas.directory.lists import TOPIC, ListKind, list_records
from streams.ops.sync.directory_lists import DirectoryLists

OTHER = TopicRecord("access.facts", b"acme", b"a fact", [])


def reading(at: int, *items: bytes, app_id: str = "abc12345", kind: ListKind = ListKind.TEAMS) -> list[TopicRecord]:
    records = list_records(app_id, kind, items, requested_at=at, origin=Origin.RESYNC, now=at)
    return [TopicRecord(TOPIC, each.key.encode(), each.value, each.headers) for each in records]


def test_a_list_is_written_when_it_has_changed_and_everything_else_always():
    lists, large = DirectoryLists(), (b'{"id":"1","note":"%s"}' % (b"x" * 300_000), b'{"id":"2","note":"%s"}' % (b"y" * 300_000))
    first = reading(1, *large)
    assert len(first) == 2
    assert lists.changed([OTHER, *first]) == [OTHER, *first]
    assert lists.changed([OTHER, *reading(2, *large)]) == [OTHER]
    changed = reading(3, large[0], b'{"id":"3"}')
    assert lists.changed(changed) == changed
    assert lists.changed(reading(4, *large)) != [], "as it was before the change"


def test_workspaces_and_kinds_are_apart():
    lists = DirectoryLists()
    for records in (reading(1), reading(1, app_id="xyz67890"), reading(1, kind=ListKind.ADMINS)):
        assert lists.changed(records) == records
        assert lists.changed(records) == []


def test_after_a_failure_a_list_is_written_again_since_it_may_not_have_been():
    lists = DirectoryLists()
    mine, others = reading(1), reading(1, app_id="xyz67890")
    lists.changed([*mine, *others])
    lists.forget("abc12345")
    assert lists.changed([*mine, *others]) == mine
