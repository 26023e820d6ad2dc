import pytest

from streams.core.normal_forms.phones import normal


@pytest.mark.parametrize(
    "text", ["+353861234567", "+353 86 123 4567", " +353 (86) 123-4567 ", "+353 (0)86 123 4567", "+353861234567 ext. 12"]
)
def test_spellings_of_one_number_have_one_normal_form(text):
    assert normal(text) == "+353861234567"


@pytest.mark.parametrize(
    "text", ["", "   ", "0861234567", "00353861234567", "+", "+1", "+999123456789", "call me", "+" + "1" * 70]
)
def test_what_is_no_number_with_a_prefix_has_none(text):
    assert normal(text) is None
