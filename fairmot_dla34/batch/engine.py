"""The protocol of engines, which run a function on many items, each in one of several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

MOST_RETRIES = 3  # times that an item is run again after its worker was killed


class Engine(Protocol):
    """Runs a function on items in worker processes, on this machine or on others."""

    def check(self) -> None:
        """Check that work can be started, before anything slow is done.

        Raises:
            EngineError: The workers cannot be reached, or do not fit this process, such as another version.
            BackendUnavailableError: A package that the engine needs is not installed.
        """

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, on_start: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Any | BaseException]]:
        """Run the function on every item, and yield what became of each one as soon as it is complete.

        An item that raises does not end the others. An item whose worker was killed is run again, at most
        `MOST_RETRIES` times. If the caller stops reading, such as for Ctrl-C, `close` ends the items in progress.

        Args:
            function: Picklable function of one item.
            items: Picklable items.
            on_start: Function that is called in this process with the index of each item that is started, if the
                engine knows it; again if the item is run again.

        Yields:
            Index of an item, and the value that the function returned or the exception that it raised. If the worker
            was killed each time, it is an `EngineError`.

        Raises:
            EngineError: No worker can be started.
        """

    def close(self) -> None:
        """End the workers and the items in progress, soon; safe to call twice."""
