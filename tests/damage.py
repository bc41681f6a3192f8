"""Random damage to the bytes of a file: text that parsers trip over, cuts and insertions."""

from __future__ import annotations

import random

PIECES = (
    b"", b"\0", b"\xff\xfe", b"nan", b"-inf", b"1e999", b"-1", b"99999999999999999999", b"0" * 400, b"1_0", b",", b" ",
    b"\n", b"\r", b"\t", b'"', b"[", b"]", b"{", b"}", b"null", b"true", b"../", b"/", b"\xe2\x80\xa8", b"0x10", b"1e3",
)  # fmt: skip


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Return a file with one to three changes: bytes overwritten, removed or inserted, or the end cut off."""
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data) + 1)
        piece = rng.choice((*PIECES, rng.randbytes(rng.randint(1, 4))))
        length = rng.choice((0, 1, len(piece), rng.randint(0, 30)))
        data = data[:place] if rng.random() < 0.1 else data[:place] + piece + data[place + length :]
    return data
