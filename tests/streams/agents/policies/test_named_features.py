"""Each feature of a customer-data sync that this product has for people and organisations is shown by a test that bears its name."""

import re
from pathlib import Path

import pytest

FEATURES = (1, 2, *range(5, 10), *range(17, 24), 25, 26, 29, 30, 31, 47, 51)
TESTS = Path(__file__).parents[3]
_NAME = re.compile(r"^(?:async )?def test_b(\d+)_", re.MULTILINE)
NAMED = {int(number) for path in TESTS.rglob("test_*.py") for number in _NAME.findall(path.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_has_a_test_with_its_name(feature):
    assert feature in NAMED
