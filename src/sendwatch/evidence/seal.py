"""Ed25519 keys under the evidence: making, reading, signing, checking.

Belongs here: keys and signatures. Not here: what is signed (`pack.py`), where the key lies (`keeping.py`).

What hides records in a pack (`Marks`) is made from the signing key too, so that there is one secret to keep.
"""

from __future__ import annotations

import hmac
import os
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from sendwatch.secret import NotHadError

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.settings import Settings


class BadKeyError(Exception):
    """Not an Ed25519 key in PEM form; the message says which was wanted."""


def make_key(private: Path, public: Path) -> str:
    """Write a new key into two files, the private one readable by its owner only; returns its id.

    Raises FileExistsError: a key that is overwritten is gone, and what it signed with it.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with os.fdopen(os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    with public.open("xb") as file:
        file.write(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return key_id(key.public_key())


def private_key(pem: str) -> Ed25519PrivateKey:
    """The signing key. Raises BadKeyError; what was given is never repeated."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyError(
            "the signing key is no Ed25519 private key in PEM form: `sendwatch evidence keygen` makes one"
        )
    return key


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The key that the settings name. Raises BadKeyError, also where they name none or it cannot be read."""
    secret = settings.evidence.signing_key
    if secret is None:
        raise BadKeyError("evidence.signing_key is not set: `sendwatch evidence keygen` makes one")
    try:
        return private_key(secret.reveal())
    except NotHadError as error:
        raise BadKeyError(str(error)) from None


def public_key(pem: bytes) -> Ed25519PublicKey:
    """The key to check with. Raises BadKeyError."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadKeyError("this is no Ed25519 public key in PEM form")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """32 hex digits that name a public key."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:32]


def is_signed(key: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether the signature of the data is by this key."""
    try:
        key.verify(signature, data)
    except InvalidSignature:
        return False
    return True


class Marks:
    """Hashes of records and texts that nobody can guess their contents from.

    A plain hash of a record that holds a phone number can be searched through: there are few numbers, and a flag tells
    the rest. So each record is hashed with a nonce of its own; whoever is shown the record later is shown its nonce too
    (`sendwatch evidence open`), and nothing is learnt about any other.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        """Of the key, what is not its signature."""
        raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        self._key = hmac.digest(raw, b"sendwatch evidence marks v1", "sha256")

    def nonce(self, place: str) -> bytes:
        """The nonce of the record at `topic:partition:offset`."""
        return hmac.digest(self._key, place.encode(), "sha256")

    def of_record(self, place: str, value: bytes | None) -> str:
        """sha256 of the nonce and the record's value."""
        return sha256(self.nonce(place) + (value or b"")).hexdigest()

    def of_text(self, text: str) -> str:
        """A keyed hash of a text: the same for the same text."""
        return hmac.digest(self._key, b"text\n" + text.encode(), "sha256").hex()
