"""A data folder formatted without Kafka's tool is the one that the tool would have made."""

from pathlib import Path

from connectors.local.download.artifacts import fetch
from connectors.local.download.lockfile import locked
from connectors.local.paths import cache_home
from connectors.local.progress import NoProgress
from connectors.local.servers import java
from connectors.local.servers.broker import Broker
from connectors.local.servers.class_archive import class_archive
from connectors.local.servers.formatted import FormattedData, random_id
from connectors.local.services import KAFKA_JAVA

BATCHES = (0, 83, 336)  # where those of the checkpoint begin
VARYING = [slice(begin + first, begin + end) for begin in BATCHES for first, end in ((17, 21), (27, 43))]  # checksums and times


def identity(data: Path) -> dict[str, str]:
    lines = (data / "meta.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def without_times(data: Path) -> bytes:
    checkpoint = bytearray((data / "bootstrap.checkpoint").read_bytes())
    for place in VARYING:
        checkpoint[place] = bytes(place.stop - place.start)
    return bytes(checkpoint)


def test_a_folder_formatted_like_the_first_one_is_as_the_tool_makes_it(tmp_path: Path) -> None:
    runtime, jars = java.find(KAFKA_JAVA), fetch(locked("kafka"), cache_home(), NoProgress())
    formatted = FormattedData(tmp_path / "checkpoint")

    def prepared(folder: str, node: int) -> Path:
        broker = Broker(
            node=node, home=tmp_path / folder, port=15_000 + node, voters={1: 15_011, 2: 15_012}, cluster_id="AAAAAAAAAAAAAAAAAAAAAQ",
            java=runtime, jars=jars, archive=class_archive(cache_home(), runtime, jars), formatted=formatted,
        )  # fmt: skip
        broker.prepare()
        return broker.home / broker.name / "data"

    prepared("first", 1)
    like_it = prepared("second", 2)
    formatted.path.unlink()
    by_tool = prepared("third", 2)
    assert {each.name for each in by_tool.iterdir()} == {each.name for each in like_it.iterdir()}
    assert without_times(by_tool) == without_times(like_it)
    expected, written = identity(by_tool), identity(like_it)
    assert len(written["directory.id"]) == len(expected["directory.id"]) == 22
    assert written.pop("directory.id") != expected.pop("directory.id")
    assert written == expected


def test_a_formatted_folder_stays_as_it_is(tmp_path: Path) -> None:
    formatted = FormattedData(tmp_path / "checkpoint")
    data = tmp_path / "data"
    assert not formatted.write(data, random_id(), 1)
    data.mkdir()
    (data / "bootstrap.checkpoint").write_bytes(b"levels")
    formatted.keep(data)
    other = tmp_path / "other"
    assert formatted.write(other, "c1", 3)
    before = {each.name: each.read_bytes() for each in other.iterdir()}
    assert formatted.write(other, "c2", 4)
    assert {each.name: each.read_bytes() for each in other.iterdir()} == before
    assert before["bootstrap.checkpoint"] == b"levels"
