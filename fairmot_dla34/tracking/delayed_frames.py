"""Frames with their results, held back together until gaps of tracks are filled."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import replace

from ..association.gaps import GapFiller
from ..errors import FairMOTError
from ..values import Frame, FrameResult

Pair = tuple[Frame, FrameResult]


def pairs_with_filled_gaps(pairs: Iterable[Pair], max_gap: int, *, reused: bool) -> Generator[Pair]:
    """Yield frames with results whose gaps are filled, delayed by ``max_gap`` results.

    An error of ``pairs`` is raised after the pairs before it. Memory: ``max_gap`` images.

    Args:
        pairs: Frames and results of one video, in order.
        max_gap: Longest gap to fill, see `GapFiller`.
        reused: Whether images may be overwritten after the next step, as by a caller's iterable; held images are then
            copied.
    """
    filler = GapFiller(max_gap)
    held: deque[Frame] = deque()
    try:
        for frame, result in pairs:
            held.append(replace(frame, image=frame.image.copy()) if reused and max_gap else frame)
            for complete in filler.push(result):
                yield held.popleft(), complete
    except FairMOTError:
        yield from zip(held, filler.flush(), strict=True)
        raise
    yield from zip(held, filler.flush(), strict=True)
