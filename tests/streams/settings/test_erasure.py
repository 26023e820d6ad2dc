from schemas.tenancy import ErasureSettings, Secret, Tenant
from streams.settings.erasure import check_erasure

GOOD, OTHER = Secret("k" * 32), Secret("o" * 32)


def problems(*keys):
    found = []
    check_erasure([Tenant(id="acme", erasure=ErasureSettings(keys=keys))], lambda *problem: found.append(problem))
    return found


def test_keys_of_which_each_is_long_and_stands_once_are_right_and_so_is_none():
    assert problems() == problems(GOOD) == problems(GOOD, OTHER) == []


def test_a_key_that_can_be_guessed_or_is_empty_or_stands_twice_is_reported_and_never_shown():
    for keys in ((Secret("short"),), (GOOD, Secret("")), (GOOD, GOOD)):
        ((path, text),) = problems(*keys)
        assert path == "tenants[0].erasure.keys"
        assert not any(key.reveal() and key.reveal() in text for key in keys)
