from types import SimpleNamespace

import msgspec
import pytest

from schemas.errors import InvalidRecord, MustStop
from schemas.versioned import PreviousVersion, Versioned


class Oldest(msgspec.Struct, frozen=True, array_like=True):
    name: str


class Old(msgspec.Struct, frozen=True, array_like=True):
    first: str
    last: str


class New(msgspec.Struct, frozen=True, array_like=True):
    first: str
    last: str
    title: str = ""


OLDEST = Versioned(Oldest)
OLD = Versioned(
    Old, since=2, before=PreviousVersion(OLDEST, lambda it: Old(*it.name.split(" ")), lambda it: Oldest(f"{it.first} {it.last}"))
)
NEW = Versioned(New, since=4, before=PreviousVersion(OLD, lambda it: New(it.first, it.last), lambda it: Old(it.first, it.last)))
ADA = New("Ada", "Lovelace", "Countess")


def test_a_value_comes_back_behind_the_number_of_its_encoding():
    data = NEW.encode(ADA)
    assert data[0] == 4
    assert NEW.decode(data) == ADA


@pytest.mark.parametrize("data", [OLD.encode(Old("Ada", "Lovelace")), OLDEST.encode(Oldest("Ada Lovelace"))])
def test_what_every_release_before_wrote_is_upgraded(data):
    assert NEW.decode(data) == New("Ada", "Lovelace")


@pytest.mark.parametrize(
    ("encoding", "same_as"),
    [
        (1, OLDEST.encode(Oldest("Ada Lovelace"))),
        (2, OLD.encode(Old("Ada", "Lovelace"))),
        (3, OLD.encode(Old("Ada", "Lovelace"))),  # another type changed with 3: this one still looks as it did
        (4, NEW.encode(ADA)),
        (5, NEW.encode(ADA)),
    ],
)
def test_a_release_writes_what_the_readers_of_an_older_encoding_wrote_themselves(encoding, same_as):
    assert NEW.encode(ADA, encoding) == same_as
    assert NEW.encoder(encoding)(ADA) == same_as


def test_a_type_that_is_newer_than_the_encoding_is_written_as_it_first_was():
    only = Versioned(New, since=3)
    assert only.encode(ADA, 1)[0] == 3


@pytest.mark.parametrize("codec", [OLDEST, OLD])
def test_what_a_newer_release_wrote_stops_the_process(codec):
    with pytest.raises(MustStop, match="newer release wrote it"):
        codec.decode(NEW.encode(ADA))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x04", b"\x04\xc1", b"\x04\x92\xa1a", b"\x02\x91\xa1a", b"\x01", NEW.encode(ADA) + b"\x00"],
)
def test_bytes_that_are_no_such_value_are_unusable(data):
    with pytest.raises(InvalidRecord):
        NEW.decode(data)


@pytest.mark.parametrize("data", [b"{}", b"\x00\x01", b"\x1f\x8b", b"\xff", b" ", b"hello"])
def test_what_no_release_can_have_written_is_not_taken_for_a_newer_ones(data):
    with pytest.raises(InvalidRecord, match="no release of ours"):
        NEW.decode(data)


def test_an_error_names_the_place_and_not_the_value():
    with pytest.raises(InvalidRecord) as refused:
        NEW.decode(b"\x04" + msgspec.msgpack.encode(["secret@example.com", 5]))
    assert "$[1]" in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("written", "after"), [(1, 2), (2, 2), (3, 3)])
def test_what_follows_from_a_record_is_written_in_no_older_encoding(written, after):
    out = SimpleNamespace(encoding=written)
    assert NEW.receive(OLD.encode(Old("Ada", "Lovelace")), out) == New("Ada", "Lovelace")
    assert out.encoding == after


@pytest.mark.parametrize("since", [0, 31])
def test_a_number_is_never_the_first_byte_of_something_else(since):
    with pytest.raises(ValueError, match="1 to 30"):
        Versioned(New, since=since)


def test_what_was_before_is_older():
    with pytest.raises(ValueError, match="before encoding 2"):
        Versioned(New, since=2, before=PreviousVersion(OLD, lambda it: New(it.first, it.last), lambda it: Old(it.first, it.last)))
