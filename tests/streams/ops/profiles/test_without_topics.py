"""Questions about profiles where there are no topics yet: what is missing is named, and nobody is taken for nothing."""

from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.streams.cli.installation import Installation


@pytest.mark.parametrize("verb", ["fields", "find x", "show ada@example.com", "explain a:b", "export a:b", "erasures"])
def test_topics_that_are_not_there_are_said_to_be(kafka: str, prefix: str, tmp_path: Path, verb: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    bare = Installation(settings, tmp_path, ["operations"] if verb == "erasures" else [], {"acme": {"a": "support"}})
    result = bare.types("profiles", *verb.split())
    if verb == "erasures":
        assert (result.exit_code, result.output) == (0, "nobody has been erased\n")
    else:
        assert "There is no topic" in str(result.exception)
