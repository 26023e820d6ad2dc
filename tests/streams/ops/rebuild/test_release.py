"""Who may continue a rebuild that a release has begun."""

import msgspec
import pytest

from schemas.errors import BadConfiguration
from schemas.generations import RebuildEntry, TableGeneration
from streams.ops.rebuild.start import RELEASE, _require_same_release

ENTRY = RebuildEntry("b-1", TableGeneration(2, ("contacts",), ()), 0, "ops", None, release=RELEASE)


@pytest.mark.parametrize(("release", "named"), [("0.0.1", "release 0.0.1"), ("", "release before this one")])
def test_a_rebuild_of_another_release_is_ended_and_not_continued(release: str, named: str) -> None:
    with pytest.raises(BadConfiguration, match=f"was begun by {named}, and this is {RELEASE}.*--discard"):
        _require_same_release(msgspec.structs.replace(ENTRY, release=release))


def test_any_release_completes_a_swap_that_has_begun() -> None:
    _require_same_release(msgspec.structs.replace(ENTRY, release="0.0.1", swapped={"contacts": (0, "k")}))
    _require_same_release(ENTRY)
