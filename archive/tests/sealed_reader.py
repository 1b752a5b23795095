"""A second reader of the sealed format, written from config/decisions/store.md alone.

It shares no line and no building block with archive.sealing: HKDF-Expand by hand on hmac,
the cipher through the low-level interface, the whole file in memory. Two readers that agree
on every vector make a slip in either visible. Never imported by the product.
"""

import hmac
import pathlib
import sqlite3
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def unseal(blob, key, object_id):
    """Return the plaintext of a sealed file, or None if anything about it is wrong."""
    head, body = blob[:80], blob[80:]
    if len(head) < 80:
        return None
    magic, named, salt, promised = struct.unpack("8s16s24s32s", head)
    if (magic, named) != (bytes.fromhex("564b534f01000000"), object_id):
        return None
    info = b"c2sp.org/chunked-encryption@v1+" + b"AEAD_AES_256_GCM" + bytes(1) + salt + head[:24]
    t1 = hmac.digest(key, info + b"\x01", "sha512")
    t2 = hmac.digest(key, t1 + info + b"\x02", "sha512")
    cipher_key, base_nonce, commitment = struct.unpack("32s12s32s", (t1 + t2)[:76])
    if commitment != promised:
        return None
    plain, number = [], 0
    while True:
        sealed, body = body[:16400], body[16400:]
        piece = _chunk(sealed, cipher_key, base_nonce, number)
        if piece is None:
            return None
        plain.append(piece)
        if len(piece) < 16384:
            return b"".join(plain) if not body else None
        number += 1


def _chunk(sealed, cipher_key, base_nonce, number):
    if len(sealed) < 16:
        return None
    nonce = bytes(a ^ b for a, b in zip(base_nonce, bytes(4) + struct.pack(">Q", number), strict=True))
    opener = Cipher(algorithms.AES256(cipher_key), modes.GCM(nonce, sealed[-16:])).decryptor()
    try:
        return opener.update(sealed[:-16]) + opener.finalize()
    except Exception:  # noqa: BLE001 - any refusal is a refusal
        return None


def data_key(vault_file, levels, key_files, object_id):
    """Return the data key of an object from the custodians' files, the level key and the vault's row, by hand."""
    db = sqlite3.connect(f"file:{vault_file}?mode=ro", uri=True)
    query = "SELECT level, key_id, wrapped FROM data_key WHERE object_id = ?"
    rank, key_id, wrapped = db.execute(query, (object_id,)).fetchone()
    db.close()
    halves = [bytes.fromhex(pathlib.Path(file).read_text("ascii")) for file in key_files]
    extracted = hmac.digest(bytes(64), b"".join(halves if rank else halves[:1]), "sha512")
    site_key = hmac.digest(extracted, b"vankho site key v1" + bytes([rank, 1]), "sha512")[:32]
    box = pathlib.Path(f"{levels}/{rank}-{key_id.hex()}.key").read_bytes()
    level_key = _open(box, site_key, b"vankho level key v1" + bytes([rank]) + key_id)
    return _open(wrapped, level_key, object_id + bytes([rank]) + key_id)


def _open(box, key, bound):
    opener = Cipher(algorithms.AES256(key), modes.GCM(box[:12], box[-16:])).decryptor()
    opener.authenticate_additional_data(bound)
    return opener.update(box[12:-16]) + opener.finalize()
