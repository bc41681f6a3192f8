"""Decoding of the graph's outputs to peaks.

It runs in NumPy, outside the graph: in bf16 the coordinates would be wrong by whole pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..errors import BackendError
from ..values import Peaks

NOT_A_PEAK = -1e4  # a logit whose sigmoid is 0
MAX_BOX_PX = 1e5  # in network px; the image has about a thousand


class RawPeaks(NamedTuple):
    """The graph's outputs for one image, K peaks of the heatmap, best first.

    Attributes:
        logits: ``(K,)`` values of the heatmap before the sigmoid; `NOT_A_PEAK` in rows after the last peak.
        cells: ``(K,)`` indices into the flattened ``(classes, height / stride, width / stride)`` heatmap.
        sizes: ``(K, 4)`` distances left, top, right and bottom of the centre, in cells.
        offsets: ``(K, 2)`` x and y of the centre within its cell, in cells.
        embeddings: ``(K, E)`` embeddings, not yet of unit length.
    """

    logits: NDArray[np.float32]
    cells: NDArray[np.int64]
    sizes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    embeddings: NDArray[np.float32]


OUTPUTS = RawPeaks._fields  # names of the graph's outputs, in its order


def decode(outputs: Sequence[NDArray[Any]], input_size: InputSize, stride: int) -> Peaks:
    """Convert the graph's outputs to boxes, scores and unit embeddings.

    Source: ``CenterNetPostProcess`` (ltrb sizes) in PaddleDetection's ``post_process.py``; embeddings are normalised
    like ``paddle.nn.functional.normalize`` does.

    Args:
        outputs: The arrays of `RawPeaks`, in its order.
        input_size: Network input in px.
        stride: Network px per cell of the heatmap.

    Returns:
        Peaks in network px, best first, without the rows after the last peak.

    Raises:
        BackendError: A peak's logit or box is NaN, infinite or absurdly large, or there is no peak: every heatmap of
            numbers has one, its highest cell.
    """
    raw = RawPeaks(*outputs)
    columns, rows = input_size.width // stride, input_size.height // stride
    kept = raw.logits > NOT_A_PEAK / 2
    cells = raw.cells[kept].astype(np.int64)
    class_ids, cells = np.divmod(cells, rows * columns)
    y, x = np.divmod(cells, columns)
    centres = np.stack([x, y], axis=1).astype(np.float32) + raw.offsets[kept]  # (K, 2) in cells
    sizes = raw.sizes[kept]
    with np.errstate(over="ignore", invalid="ignore"):  # reported by the check
        boxes = np.concatenate([centres - sizes[:, :2], centres + sizes[:, 2:]], axis=1) * np.float32(stride)
    _check_numbers(raw.logits[kept], boxes)
    embeddings = raw.embeddings[kept]
    norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # a logit under -88 is a score of 0
        scores = (1 / (1 + np.exp(-raw.logits[kept]))).astype(np.float32)
    return Peaks(
        boxes=boxes,
        scores=scores,
        embeddings=embeddings / np.maximum(norms, 1e-12),
        class_ids=class_ids,
    )


def _check_numbers(logits: NDArray[np.float32], boxes: NDArray[np.float32]) -> None:
    if not logits.size:
        problem = "the heatmap has no peak"
    elif not np.isfinite(logits).all():
        problem = "a score is NaN or infinite"
    elif not np.abs(boxes).max() <= MAX_BOX_PX:  # also if one is NaN
        problem = "a box is NaN, infinite or far larger than the image"
    else:
        return
    raise BackendError(
        f"The network's output is unusable ({problem}): its weights are damaged, or the runtime is faulty. Check "
        "them with `fairmot_dla34 weights verify FILE` and `fairmot_dla34 info`, or use other weights."
    )
