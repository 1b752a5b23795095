"""The key that signs this installation's backups (Ed25519), made on first use.

It proves who wrote a manifest; it opens no content. The private half stays in
`keys/backup.key` of the installation; the public half lies beside every manifest and
should be kept elsewhere too, because who can replace the backup can replace what lies beside it.
A signature can be checked without this program:
`openssl pkeyutl -verify -pubin -inkey backup.pub -rawin -in manifest.json -sigfile manifest.sig`.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

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

from archive.stores.disk import sync_folder, write_new
from config.backup.durable import make_folder
from config.backup.refusals import KeyDamaged, Unsigned

PUBLIC: Final = "backup.pub"


def own_key(home: Path) -> Ed25519PrivateKey:
    """Return the installation's key, made on first use; two processes at once agree on one. Raises KeyDamaged."""
    path = home / "keys" / "backup.key"
    if not path.exists():
        make_folder(path.parent)
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.unlink(missing_ok=True)
        write_new(temporary, made, mode=0o400)
        with suppress(FileExistsError):
            os.link(temporary, path)
        temporary.unlink()
        sync_folder(path.parent)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:  # TypeError: locked under a password
        raise KeyDamaged(path=path) from fault
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyDamaged(path=path)
    return key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Return the public half as it is kept beside a manifest."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_line(pem: bytes) -> str:
    """Return the public half as one line to print: 44 characters of base64."""
    return "".join(line for line in pem.decode("ascii").splitlines() if not line.startswith("-"))


def verify(data: bytes, signature: bytes, pem: bytes, *, name: str) -> None:
    """Return in silence if the key signed these bytes.

    Raises:
        Unsigned: it did not, or there is no such key.
    """
    try:
        key = load_pem_public_key(pem)
        if not isinstance(key, Ed25519PublicKey):
            raise Unsigned(name=name)
        key.verify(signature, data)
    except (ValueError, InvalidSignature) as error:
        raise Unsigned(name=name) from error
