"""The rows and records of some histories as one hash: `python -m tests.support.access_laws.row_bytes`, for a process with other hashes of texts."""

from hashlib import sha256

from tests.support.access_histories.activities import with_activities
from tests.support.access_histories.history import history
from tests.support.access_laws.product import processed

SEEDS = range(800_000, 800_006)  # the second of them has settings that change several dates at once


def main() -> None:
    found = sha256()
    for seed in SEEDS:
        company = processed(with_activities(seed, history(seed, 24)))
        found.update(repr((company.sent, company.table.rows())).encode())
    print(found.hexdigest())  # noqa: T201


if __name__ == "__main__":
    main()
