"""PaddleDetection's configurations of FairMOT networks; its package lacks their files.

Sources: ``_base_/fairmot_dla34.yml`` and ``_base_/fairmot_hrnetv2_w18_dlafpn.yml`` in ``configs/mot/fairmot`` of
PaddleDetection 2.6, and its multi-class ``configs/mot/mcfairmot``.
"""

from __future__ import annotations

from typing import Any

from ..architectures import Architecture, HeadSizes
from ..config import InputSize

_MAX_PEAKS = 500  # max_per_img

# PaddleDetection merges settings into those of the network before: every setting that differs stands in both.
_BACKBONES: dict[str, dict[str, Any]] = {
    "dla34": {
        "CenterNet": {"backbone": "DLA"},
        "CenterNetDLAFPN": {"first_level": None, "last_level": 5, "dcn_v2": True},
    },
    "hrnetv2_w18": {
        "CenterNet": {"backbone": "HRNet"},
        "CenterNetDLAFPN": {"first_level": 0, "last_level": 3, "dcn_v2": False},
        "HRNet": {"width": 18, "freeze_at": 0, "return_idx": [0, 1, 2, 3], "upsample": False},
    },
}
ARCHITECTURES = tuple(_BACKBONES)


def model_config(architecture: Architecture, sizes: HeadSizes, input_size: InputSize | None = None) -> dict[str, Any]:
    """Return the configuration of ``ppdet.modeling.FairMOT``.

    Args:
        architecture: One of `ARCHITECTURES`.
        sizes: Classes, embedding size and channels of the size head.
        input_size: Network input in px; None: any that gives as many cells as PaddleDetection extracts peaks.
    """
    peaks = _MAX_PEAKS
    if input_size is not None:  # its top-K fails on a heatmap with fewer cells
        cells = (input_size.height // architecture.stride) * (input_size.width // architecture.stride)
        peaks = min(peaks, cells)
    ltrb = sizes.size_channels == HeadSizes().size_channels
    backbone = _BACKBONES[architecture.name]
    return backbone | {
        "architecture": "FairMOT",
        "for_mot": True,
        "num_classes": sizes.num_classes,
        "FairMOT": {
            "detector": "CenterNet",
            "reid": "FairMOTEmbeddingHead",
            "loss": "FairMOTLoss",
            "tracker": "JDETracker",
        },
        "CenterNet": {
            "neck": "CenterNetDLAFPN",
            "head": "CenterNetHead",
            "post_process": "CenterNetPostProcess",
            **backbone["CenterNet"],
        },
        "CenterNetDLAFPN": {"down_ratio": 4, "out_channel": 0, "with_sge": False, **backbone["CenterNetDLAFPN"]},
        "CenterNetHead": {"head_planes": 256, "regress_ltrb": ltrb, "add_iou": False},
        "FairMOTEmbeddingHead": {"ch_head": 256, "ch_emb": sizes.embedding_size},
        "CenterNetPostProcess": {"max_per_img": peaks, "down_ratio": 4, "regress_ltrb": ltrb},
    }
