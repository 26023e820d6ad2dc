import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical, digest

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
