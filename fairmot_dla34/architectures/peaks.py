"""From the graph's outputs to peaks. Done in NumPy: in bf16 a cell's coordinate would lose whole pixels."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from ..config import InputSize
from ..values import Peaks

STRIDE = 4  # network px per heatmap cell: down_ratio in fairmot_dla34.yml
NOT_A_PEAK = -1e4  # a logit whose sigmoid is 0


@dataclass(frozen=True, eq=False)
class RawPeaks:
    """The graph's outputs for one image; see `network.dla34.build_onnx` for shapes and meaning."""

    logits: NDArray[np.float32]
    cells: NDArray[np.int64]
    sizes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    embeddings: NDArray[np.float32]


OUTPUTS = tuple(field.name for field in fields(RawPeaks))  # the graph's, in its order


def decode(raw: RawPeaks, input_size: InputSize) -> Peaks:
    """Turn the graph's outputs into boxes, scores and unit embeddings.

    Source: ``CenterNetPostProcess`` (ltrb sizes) in PaddleDetection's ``post_process.py``; embeddings are normalised
    as ``paddle.nn.functional.normalize`` does.

    Returns:
        The peaks, best first; cells that only fill up the K of the graph are left out.
    """
    columns, rows = input_size.width // STRIDE, input_size.height // STRIDE
    kept = raw.logits > NOT_A_PEAK / 2
    cells = raw.cells[kept].astype(np.int64)
    class_ids, cells = np.divmod(cells, rows * columns)
    y, x = np.divmod(cells, columns)
    centres = np.stack([x, y], axis=1).astype(np.float32) + raw.offsets[kept]  # (K, 2) in cells
    sizes = raw.sizes[kept]
    boxes = np.concatenate([centres - sizes[:, :2], centres + sizes[:, 2:]], axis=1) * np.float32(STRIDE)
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
