from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import NAMESPACE, derived


def test_an_id_is_a_uuid_of_version_5():
    assert UUID(derived("acme")).version == 5


def test_ids_issued_once_never_change():
    assert derived("acme", "C1", 7, None) == "ff8bf3b9-d605-5116-a72d-0c901ef787c6"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a|b",), ("a", "b")),
        (("a", "b"), ("ab",)),
        (("a", ""), ("a",)),
        (("",), (None,)),
        (("1:a;",), ("a",)),
        (("a", "b"), ("b", "a")),
        (("é",), ("e\u0301",)),
    ],
)
def test_different_parts_give_different_ids(one, other):
    assert derived(*one) != derived(*other)


def test_a_number_and_its_digits_are_one_part():
    assert derived("finding", 7) == derived("finding", "7")


@given(st.lists(st.none() | st.integers() | st.text(), max_size=4))
def test_an_id_is_the_one_of_the_standard_library(parts):
    name = "".join("-;" if part is None else f"{len(str(part))}:{part};" for part in parts)
    assert derived(*parts) == str(uuid5(NAMESPACE, name))
