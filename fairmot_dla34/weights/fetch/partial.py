"""A file on its way: its bytes so far, and beside them what the server said of the whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Promise:
    """What a server said of the whole file when its transfer began.

    Attributes:
        url: Where it comes from.
        validator: Strong ETag or Last-Modified date, by which the server knows this very version; None: no resuming.
        content_md5: Base64 digest of the whole file, from Content-MD5, or None.
        total: Length in bytes, or None.
    """

    url: str
    validator: str | None
    content_md5: str | None
    total: int | None


class PartialFile:
    """``NAME.part`` and ``NAME.part.json`` in the cache folder. One process at a time, under the lock.

    Args:
        target: The finished file; the partial one lies beside it, so that moving it is atomic.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(target.name + ".part")
        self._promise_path = target.with_name(target.name + ".part.json")

    def resumable(self, url: str) -> tuple[Promise | None, int]:
        """Return the promise of an earlier transfer from ``url`` and the bytes there are; (None, 0) to start anew."""
        try:
            promise = Promise(**json.loads(self._promise_path.read_text(encoding="utf-8")))
            size = self.path.stat().st_size
        except (FileNotFoundError, ValueError, TypeError):
            return None, 0
        if promise.url != url or not promise.validator or size == 0:
            return None, 0
        return promise, size

    def begin(self, promise: Promise) -> None:
        """Forget the bytes so far. They go before the promise changes, so that a crash never pairs old with new."""
        self.discard()
        self._promise_path.write_text(json.dumps(asdict(promise)), encoding="utf-8")
        self.path.touch()

    def discard(self) -> None:
        """Delete what there is."""
        self.path.unlink(missing_ok=True)
        self._promise_path.unlink(missing_ok=True)

    def finish(self, target: Path) -> None:
        """Move the complete file to ``target``, at once or not at all."""
        self.path.replace(target)
        self._promise_path.unlink(missing_ok=True)
