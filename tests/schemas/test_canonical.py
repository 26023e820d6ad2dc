import json
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical, canonical_exact, canonical_text, digest
from schemas.plain_values import plain

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def test_keys_are_sorted_and_nothing_is_padded():
    assert canonical({"b": [1, 2.5, None], "a": {"z": "é", "y": True}}) == '{"a":{"y":true,"z":"é"},"b":[1,2.5,null]}'.encode()


@given(JSON)
def test_a_value_comes_back_and_has_one_spelling(value):
    data = canonical(value)
    assert json.loads(data) == value
    assert canonical(json.loads(data)) == data


@given(st.text(st.characters()) | st.text(st.characters(max_codepoint=0x7F)))
def test_a_text_alone_has_the_same_spelling(value):
    assert canonical_text(value) == canonical(value).decode()


def test_order_of_arrival_does_not_show():
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})


def test_half_a_surrogate_pair_is_kept_as_an_escape():
    assert canonical({"name": "\ud83d"}) == b'{"name":"\\ud83d"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_cannot_spell_is_refused(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"x": value})


def test_a_digest_is_sha256_in_hexadecimal():
    assert digest(b"x") == sha256(b"x").hexdigest()


class Spelled(msgspec.Struct, frozen=True, kw_only=True):
    text: str
    number: int
    texts: tuple[str, ...] = ()
    named: dict[str, str | None] = {}


@given(st.builds(Spelled, text=st.text(), number=st.integers(-(2**63), 2**64 - 1), texts=st.lists(st.text()).map(tuple),
                 named=st.dictionaries(st.text(), st.none() | st.text())))  # fmt: skip
def test_what_holds_no_float_is_spelled_the_same_without_a_detour_over_plain_values(value):
    assert canonical_exact(value) == canonical(plain(value)) == canonical_exact(plain(value))


def test_half_a_surrogate_pair_is_spelled_the_same_too():
    value = Spelled(text="\ud800", number=1)
    assert canonical_exact(value) == canonical(plain(value))
