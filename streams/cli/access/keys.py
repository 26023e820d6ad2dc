"""Keys that sign heads of the ledger, from the configuration, and those that verify, from files."""

from pathlib import Path

import click

from connectors.signatures.ed25519 import PublicKey, SigningKey
from schemas.errors import BadConfiguration, InvalidRecord
from streams.cli.options import config_of
from streams.settings import KAFKA_ONLY, Settings, load

PUBLIC_KEY = click.option(
    "--public-key", "public_key_file", type=click.Path(path_type=Path), metavar="FILE", help="The key that must have signed the head.",
)  # fmt: skip


def ledger_settings_of(ctx: click.Context) -> Settings:
    """Return the settings for a verb that uses Kafka and the ledger's key."""
    return load(config_of(ctx), parts=KAFKA_ONLY | {"ledger"})


def signing_key_of(settings: Settings) -> SigningKey | None:
    """Return the configured key, None without one. Raises BadConfiguration where it is no key."""
    text = settings.ledger.signing_key.reveal()
    if not text.strip():
        return None
    try:
        return SigningKey.read(text)
    except InvalidRecord as error:
        raise BadConfiguration(f"ledger.signing_key cannot be used: {error}. `access ledger key --new FILE` makes one.") from None


def public_key(path: Path | None) -> PublicKey | None:
    """Return the key in a file, None without a file. Raises BadConfiguration where it is no key."""
    if path is None:
        return None
    try:
        return PublicKey.read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadConfiguration(f"{path} cannot be read ({getattr(error, 'strerror', None) or 'it is no text'})") from None
    except InvalidRecord as error:
        raise BadConfiguration(f"{path}: {error}") from None
