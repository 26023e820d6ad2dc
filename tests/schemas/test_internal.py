import msgspec
import pytest

from schemas.errors import MustStop, Unusable
from schemas.internal import Before, Versioned


class Old(msgspec.Struct, frozen=True, array_like=True):
    name: str


class New(msgspec.Struct, frozen=True, array_like=True):
    first: str
    last: str


OLD = Versioned(Old)
NEW = Versioned(New, version=2, previous=Before(Old, lambda old: New(*old.name.split(" "))))


def test_a_value_comes_back_behind_its_version():
    data = NEW.encode(New("Ada", "Lovelace"))
    assert data[0] == 2
    assert NEW.decode(data) == New("Ada", "Lovelace")


def test_what_the_release_before_wrote_is_upgraded():
    assert NEW.decode(OLD.encode(Old("Ada Lovelace"))) == New("Ada", "Lovelace")


def test_what_a_newer_release_wrote_stops_the_process():
    with pytest.raises(MustStop, match="newer release"):
        OLD.decode(NEW.encode(New("Ada", "Lovelace")))


def test_what_a_much_older_release_wrote_stops_the_process():
    third = Versioned(New, version=3, previous=Before(New, lambda new: new))
    with pytest.raises(MustStop, match="too old"):
        third.decode(OLD.encode(Old("Ada Lovelace")))


@pytest.mark.parametrize(
    "data", [b"", b"\x02", b"\x02\xc1", b"\x02\x92\xa1a", b"\x02\x91\xa1a", NEW.encode(New("a", "b")) + b"\x00"]
)
def test_bytes_that_are_no_such_value_are_unusable(data):
    with pytest.raises(Unusable):
        NEW.decode(data)


def test_an_error_names_the_place_and_not_the_value():
    with pytest.raises(Unusable) as refused:
        NEW.decode(b"\x02" + msgspec.msgpack.encode(["secret@example.com", 5]))
    assert "$[1]" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_no_version_reads_as_a_framed_avro_value():
    with pytest.raises(ValueError, match="1 to 255"):
        Versioned(New, version=0)


def test_the_first_version_has_none_before_it():
    with pytest.raises(ValueError, match="none before"):
        Versioned(New, version=1, previous=Before(Old, lambda old: New(old.name, "")))
