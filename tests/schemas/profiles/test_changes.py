"""The fields of a change as Avro are what the codec makes of the same fields as plain values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.profiles.changes import FieldChange, ValueOrigin, as_avro

AVRO = Avro.local()
TEXTS = st.text() | st.text(st.sampled_from("aé"), min_size=2000, max_size=2100)
ORIGINS = st.builds(ValueOrigin, TEXTS, TEXTS, st.integers(-(2**63), 2**63 - 1))
CHANGES = st.lists(
    st.builds(FieldChange, TEXTS, st.none() | TEXTS, st.none() | TEXTS, ORIGINS | st.just(ValueOrigin("a", "e", 1)))
)


def encoded(changes):
    value = {"profile": "p", "kind": "person", "tenant": "acme", "cause": "e", "time": 1, "created": True, "changes": changes}
    return AVRO.encode("profile_change", value)


def plain(changes):
    return [{"field": each.field, "before": each.before, "after": each.after, **asdict(each.origin)} for each in changes]


@given(CHANGES)
def test_the_bytes_are_those_of_the_codec(changes):
    assert encoded(as_avro(changes)) == encoded(plain(changes))


@pytest.mark.parametrize("part", ["field", "before", "after", "record", "event"])
def test_a_text_that_utf8_cannot_spell_is_reported_by_the_codec(part):
    change = FieldChange("name", None, None, ValueOrigin("app:a", "e", 1))
    broken = {part: "\ud800"}
    change = (
        replace(change, origin=replace(change.origin, **broken)) if part in ("record", "event") else replace(change, **broken)
    )
    with pytest.raises(InvalidRecord, match="half of a surrogate pair"):
        encoded(as_avro([change]))
