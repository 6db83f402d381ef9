"""What goes between the pool and its processes: the count and lengths of some pieces, then the pieces.

The first piece is a pickled value; the others are its bytes objects of some size, which are neither copied
into the pickle nor out of it. Both ends are this program, of one version; nothing that came from the network
is ever unpickled.
"""

from __future__ import annotations

import pickle
from typing import Any

NUMBER = 8  # bytes, big-endian
APART = 1 << 16  # bytes from which an argument or a result travels as a piece of its own


def packed(values: tuple[object, ...]) -> list[bytes]:
    """A head and the pieces behind it. Large bytes among the ``values`` themselves are pieces."""
    large: list[bytes] = []

    def apart(value: object) -> object:
        if isinstance(value, bytes) and len(value) >= APART:
            large.append(value)
            return pickle.PickleBuffer(value)
        return value

    pickled = pickle.dumps(
        tuple(map(apart, values)), protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=lambda _: None
    )
    pieces = [pickled, *large]
    sizes = (len(pieces), *map(len, pieces))
    return [b"".join(size.to_bytes(NUMBER, "big") for size in sizes), *pieces]


def unpacked(pieces: list[bytes]) -> tuple[Any, ...]:
    """The values that :func:`packed` took; of a piece that is bytes no copy is made."""
    values: tuple[Any, ...] = pickle.loads(pieces[0], buffers=pieces[1:])  # noqa: S301 (of our own process)
    return values


def numbers(data: bytes) -> list[int]:
    """The numbers of a head."""
    return [int.from_bytes(data[at : at + NUMBER], "big") for at in range(0, len(data), NUMBER)]
