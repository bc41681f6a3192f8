"""Waits between attempts to connect: exponential back-off with equal jitter."""

from __future__ import annotations

import random

SHORTEST_S = 0.5
LONGEST_S = 30.0
ACCESS_S = 300.0  # servers lock accounts after some wrong passwords
_ACCESS_JITTER = 0.1
_MAX_DOUBLINGS = 10  # far beyond the longest wait


class Backoff:
    """Waits from 0.5 to 30 s: the longest is doubled for each failure, and the wait is drawn from its upper half.

    The jitter keeps cameras from connecting at the same moment after the network was down. "Equal jitter" is described
    in "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """

    def __init__(self, seed: int | str | None = None) -> None:
        """Start with the shortest wait.

        Args:
            seed: Seed of the jitter; None: different in each process.
        """
        self._random = random.Random(seed)  # noqa: S311 (not for cryptography)
        self.failures = 0

    def next_s(self) -> float:
        """Return the wait before the next attempt, and count a failure."""
        longest_s = min(LONGEST_S, SHORTEST_S * float(2 << min(self.failures, _MAX_DOUBLINGS)))
        self.failures += 1
        return longest_s * self._random.uniform(0.5, 1.0)

    def next_access_s(self) -> float:
        """Return the wait after a server refused user and password: about 5 minutes."""
        return ACCESS_S * self._random.uniform(1 - _ACCESS_JITTER, 1.0)

    def reset(self) -> None:
        """Start again with the shortest wait."""
        self.failures = 0
