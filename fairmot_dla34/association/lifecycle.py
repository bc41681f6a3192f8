"""What becomes of tracklets at the end of a frame: order, expiry, duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import costs

if TYPE_CHECKING:
    from .tracklet import Tracklets

_DUPLICATE_LIMIT = 0.15  # IoU distance, remove_duplicate_stracks in base_jde_tracker.py


def settle(
    tracklets: Tracklets,
    was_lost: NDArray[np.bool_],
    dropped: NDArray[np.intp],
    *,
    frame: int,
    lost_buffer: int,
) -> Tracklets:
    """Order the tracklets for the next frame and forget those whose time is over.

    As in JDETracker, a lost tracklet whose buffer runs out may still be found in the very next frame, and one found
    then is forgotten as soon as it is lost again: there its id stays in a list of removed ones for ever, here it has
    the mark ``expired``.

    Args:
        tracklets: All of them, new ones at the end; only their marks ``expired`` are changed.
        was_lost: For the tracklets that are older than this frame: lost before it.
        dropped: Rows of unconfirmed tracklets that were not seen a second time.
        frame: This frame's number.
        lost_buffer: Frames that a lost tracklet is kept.

    Returns:
        Tracked ones (those tracked before, new ones, those found again), then lost ones, longest lost first.
    """
    kept = ~(tracklets.lost & tracklets.expired)
    kept[dropped] = False
    was_lost = np.concatenate([was_lost, np.zeros(len(tracklets) - len(was_lost), bool)])
    tracklets.expired |= was_lost & (frame - tracklets.last_frames > lost_buffer)
    groups = (
        ~was_lost & ~tracklets.lost,
        was_lost & ~tracklets.lost,
        was_lost & tracklets.lost,
        ~was_lost & tracklets.lost,
    )
    return tracklets.take(np.concatenate([np.flatnonzero(kept & group) for group in groups]))


def forget_unseen(tracklets: Tracklets, before: int) -> Tracklets:
    """Forget those whose time ran out in frames that were skipped: last seen before the frame ``before``."""
    if (tracklets.last_frames >= before).all():
        return tracklets
    return tracklets.take(np.flatnonzero(tracklets.last_frames >= before))


def without_duplicates(tracklets: Tracklets) -> Tracklets:
    """Where a tracked and a lost tracklet cover each other, forget the one that was followed for a shorter time.

    On equal times the tracked one is forgotten: ``remove_duplicate_stracks`` in ``base_jde_tracker.py``.
    """
    tracked, lost = np.flatnonzero(~tracklets.lost), np.flatnonzero(tracklets.lost)
    if not len(tracked) or not len(lost):
        return tracklets
    distance = costs.iou_distance(tracklets.boxes(tracked), tracklets.boxes(lost))
    distance = costs.forbid_other_classes(distance, tracklets.class_ids[tracked], tracklets.class_ids[lost])
    rows, columns = np.nonzero(distance < _DUPLICATE_LIMIT)
    if not len(rows):
        return tracklets
    a, b = tracked[rows], lost[columns]
    followed = tracklets.last_frames - tracklets.first_frames
    keep = np.ones(len(tracklets), bool)
    keep[np.where(followed[a] > followed[b], b, a)] = False
    return tracklets.take(np.flatnonzero(keep))
