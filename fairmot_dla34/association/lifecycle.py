"""Order, expiry and removal of tracklets at the end of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import costs

if TYPE_CHECKING:
    from .tracklet import Tracklets

MAX_TRACKLETS = 10_000  # bounds time and memory, whatever the lost buffer; five times the detections used in a frame

_DUPLICATE_LIMIT = 0.15  # IoU distance; remove_duplicate_stracks in base_jde_tracker.py


def finish_frame(
    tracklets: Tracklets,
    was_lost: NDArray[np.bool_],
    dropped: NDArray[np.intp],
    *,
    frame: int,
    lost_buffer: int,
) -> Tracklets:
    """Order the tracklets for the next frame, and drop those that expired or were not confirmed.

    As in JDETracker, a lost tracklet whose buffer runs out may still be found in the very next frame. If it is, it is
    dropped as soon as it is lost again: JDETracker keeps its id in a list of removed tracks; this package marks the
    tracklet as ``expired``.

    Args:
        tracklets: All tracklets, new ones at the end; only the column ``expired`` is changed.
        was_lost: ``(K,)`` whether each tracklet older than this frame was lost before it.
        dropped: Rows of unconfirmed tracklets that were not matched in this frame.
        frame: Number of this frame.
        lost_buffer: Frames that a lost tracklet is kept.

    Returns:
        Tracked tracklets (those tracked before, new ones, those found again), then lost ones, longest lost first.
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


def drop_unseen_since(tracklets: Tracklets, frame: int) -> Tracklets:
    """Drop the tracklets that were last matched before ``frame``: their buffer ran out in skipped frames."""
    kept = tracklets.last_frames >= frame
    return tracklets if kept.all() else tracklets.take(np.flatnonzero(kept))


def without_excess(tracklets: Tracklets) -> Tracklets:
    """Return at most 10,000 tracklets: all tracked ones, and the lost ones that were lost last."""
    excess = len(tracklets) - MAX_TRACKLETS
    if excess <= 0:
        return tracklets
    first_lost = int(np.count_nonzero(~tracklets.lost))
    return tracklets.take(np.delete(np.arange(len(tracklets)), slice(first_lost, first_lost + excess)))


def without_duplicates(tracklets: Tracklets) -> Tracklets:
    """If a tracked and a lost tracklet overlap, drop the one with the shorter history.

    If both are equally long, the tracked one is dropped, as in ``remove_duplicate_stracks`` of ``base_jde_tracker.py``.
    """
    tracked, lost = np.flatnonzero(~tracklets.lost), np.flatnonzero(tracklets.lost)
    if not len(tracked) or not len(lost):
        return tracklets
    history = tracklets.last_frames - tracklets.first_frames
    keep = np.ones(len(tracklets), bool)
    boxes, lost_boxes = tracklets.boxes(tracked), tracklets.boxes(lost)
    for block in costs.row_blocks(len(tracked), len(lost)):
        distance = costs.iou_distance(boxes[block], lost_boxes)
        distance = costs.forbid_other_classes(distance, tracklets.class_ids[tracked[block]], tracklets.class_ids[lost])
        rows, columns = np.nonzero(distance < _DUPLICATE_LIMIT)
        a, b = tracked[block][rows], lost[columns]
        keep[np.where(history[a] > history[b], b, a)] = False
    return tracklets if keep.all() else tracklets.take(np.flatnonzero(keep))
