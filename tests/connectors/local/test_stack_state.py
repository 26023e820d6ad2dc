"""The state that a stack saves."""

from pathlib import Path

import msgspec

from connectors.local import stack_state
from connectors.local.servers.broker import Broker
from connectors.local.servers.class_archive import ClassArchive
from connectors.local.servers.formatted import FormattedData


def test_a_cluster_id_is_22_characters_and_never_looks_like_an_option():
    ids = [stack_state.new(1, registry=False).cluster_id for _ in range(1000)]
    assert {len(each) for each in ids} == {22}
    assert not [each for each in ids if each.startswith("-")]
    assert len(set(ids)) == 1000


def test_settings_asked_for_are_remembered_and_go_over_those_of_every_stack(tmp_path: Path) -> None:
    asked = {"log.cleaner.backoff.ms": "100", "log.retention.ms": "1000"}
    stack_state.write(tmp_path, stack_state.new(1, registry=False, settings=asked))
    known = stack_state.read(tmp_path)
    assert known is not None
    broker = Broker(
        node=1,
        home=tmp_path,
        port=1,
        voters={1: 2},
        cluster_id=known.cluster_id,
        java=Path("java"),
        jars=(),
        archive=ClassArchive(tmp_path / "classes"),
        formatted=FormattedData(tmp_path / "checkpoint"),
        settings=known.settings,
    )
    assert broker.configuration() == {**msgspec.structs.replace(broker, settings={}).configuration(), **asked}
