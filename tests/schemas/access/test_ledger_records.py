import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.access import ledger_records
from schemas.access.findings import LEDGER, LedgerEntry, LedgerOutput
from schemas.access.hashed_form import hash_of
from schemas.canonical import canonical_exact, digest
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.plain_values import plain

AVRO = Avro.local()
TEXTS = st.text(max_size=70) | st.sampled_from(('"hash":"",', '","hash":"","', "a" * 3_000))
NUMBERS = st.integers(-(2**63), 2**63 - 1)
ENTRIES = st.builds(
    LedgerEntry,
    tenant=TEXTS, sequence=NUMBERS, fact=TEXTS, kind=TEXTS, outcome=TEXTS, partition=NUMBERS, offset=NUMBERS, append_time=NUMBERS,
    log_time=NUMBERS, value_sha256=TEXTS, outputs=st.lists(st.builds(LedgerOutput, topic=TEXTS, id=TEXTS, sha256=TEXTS), max_size=2).map(tuple),
    previous=TEXTS, hash=st.just("") | TEXTS,
)  # fmt: skip


@given(ENTRIES)
def test_an_entry_has_the_bytes_of_the_schema_s_writer(entry):
    assert ledger_records.encode(AVRO, entry) == AVRO.encode(LEDGER, plain(entry))


@given(ENTRIES)
def test_an_entry_is_sealed_over_all_of_it_but_its_hash(entry):
    form = msgspec.structs.asdict(entry)
    del form["hash"]
    assert hash_of(entry, without="hash") == digest(canonical_exact(form))


def test_an_entry_that_does_not_fit_is_refused_by_the_place_of_its_fault():
    entry = LedgerEntry(
        tenant="acme", sequence=1 << 63, fact="f", kind="k", outcome="applied", partition=0, offset=0, append_time=0, log_time=0,
        value_sha256="0", previous="", hash="",
    )  # fmt: skip
    with pytest.raises(InvalidRecord):
        ledger_records.encode(AVRO, entry)
