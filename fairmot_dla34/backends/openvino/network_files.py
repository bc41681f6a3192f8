"""Files made from a checkpoint and kept in the cache: what names them, and how they come to their place whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ...errors import CheckpointError
from ...files import write_whole
from ..base import BackendRequest

__all__ = ["network_key", "write_whole"]

_PACKAGE = Path(__file__).resolve().parents[2]


def network_key(request: BackendRequest, *parts: str) -> str:
    """Return a file name's stem that changes with the weights, the input size, the graph's code and ``parts``.

    Raises:
        CheckpointError: The weights cannot be read.
    """
    key = hashlib.sha256("".join(parts).encode())
    key.update(str(request.input_size).encode())
    for source in sorted([*(_PACKAGE / "architectures").rglob("*.py"), Path(__file__).with_name("graph.py")]):
        key.update(source.read_bytes())  # a change to how the graph is built is a change of the graph
    try:
        with request.weights.open("rb") as file:
            for chunk in iter(lambda: file.read(1 << 20), b""):
                key.update(chunk)
    except OSError as error:
        raise CheckpointError(
            f"{request.weights} cannot be read ({error.strerror or error}); expected a checkpoint: check the path "
            "and its permissions."
        ) from error
    return key.hexdigest()[:32]
