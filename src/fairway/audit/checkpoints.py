"""Signed checkpoints: what was known of the log, so that whoever keeps one can show a cut or rewritten
tail.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fairway.audit.rules import Checkpoint, canonical
from fairway.kernel.errors import Invalid

FORMAT = "fairway-checkpoint-1"
KEY_FILE = "checkpoint.key"


class _Signed(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The exported file. `public_key` and `signature`: Ed25519 (RFC 8032), in hexadecimal."""

    format: str
    sequence: int
    hash: str
    at: str
    public_key: str
    signature: str


def sign(checkpoint: Checkpoint, *, folder: Path) -> str:
    """Return the checkpoint as the text to export, signed with the installation's key in the folder."""
    key = _key(folder)
    public = key.public_key().public_bytes_raw().hex()
    signature = key.sign(_signed_bytes(checkpoint, public)).hex()
    told = _Signed(format=FORMAT, **asdict(checkpoint), public_key=public, signature=signature)
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode() + "\n"


def read(text: str | bytes) -> Checkpoint:
    """Return the checkpoint of an exported text.

    :raises Invalid: it is none, or its signature does not fit its content.
    """
    try:
        told = msgspec.json.decode(text, type=_Signed)
    except msgspec.DecodeError as cause:
        raise Invalid(f"This is not a checkpoint of Fairway: {cause}.") from cause
    checkpoint = Checkpoint(told.sequence, told.hash, told.at)
    try:
        if told.format != FORMAT:
            raise ValueError(told.format)
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told.public_key))
        public.verify(bytes.fromhex(told.signature), _signed_bytes(checkpoint, told.public_key))
    except (InvalidSignature, ValueError) as cause:
        raise Invalid("The checkpoint was edited: its signature does not fit its content.") from cause
    return checkpoint


def _signed_bytes(checkpoint: Checkpoint, public: str) -> bytes:
    return canonical({"format": FORMAT, "public_key": public, **asdict(checkpoint)}).encode()


def _key(folder: Path) -> Ed25519PrivateKey:
    """Return the installation's key, made on first use and readable by its owner alone."""
    path = folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    with os.fdopen(descriptor, "wb") as file:
        made = Ed25519PrivateKey.generate()
        file.write(made.private_bytes_raw())
    return made
