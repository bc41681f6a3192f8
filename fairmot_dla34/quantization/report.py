"""The report on an int8 network, as text and as JSON."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config import InputSize
from .agreement import Agreement


@dataclass(frozen=True)
class QuantizationReport:
    """An int8 network that was made, and its agreement with fp32.

    Attributes:
        path: File of the int8 network, in the cache.
        weights: Name or path of the weights that the caller gave.
        input_size: Network input in px.
        calibration: Name of the calibration video.
        frames: Number of its frames that were calibrated on.
        agreement: Agreement with fp32 on other frames of the video.
    """

    path: Path
    weights: str
    input_size: InputSize
    calibration: str
    frames: int
    agreement: Agreement


def report_text(report: QuantizationReport) -> str:
    """Return the report as text for a person."""
    size = report.input_size
    made = f"int8 network of {report.weights} at {size}, calibrated on {report.frames} frames of {report.calibration}"
    use = f"fairmot_dla34 track SOURCE --weights {shlex.quote(report.weights)} --input-size {size} --precision int8"
    return "\n".join([f"{made}: {report.path}", _agreement_text(report.agreement), f"use it: {use}"])


def report_json(report: QuantizationReport) -> str:
    """Return the report as JSON, unrounded; null for a mean over no peaks."""
    fields = asdict(report) | {"input_size": str(report.input_size)}
    return json.dumps(fields, indent=2, default=str, ensure_ascii=False)


def _agreement_text(found: Agreement) -> str:
    scope = f"with a score above {found.threshold} in {found.frames} frames that were not calibrated on"
    if not found.fp32_peaks:
        return f"agreement: not known, fp32 found nobody {scope}; calibrate on a video with people in it"
    cells = {
        "fp32": f"{found.fp32_peaks}",
        "int8": f"{found.int8_peaks}",
        "matched": f"{found.matched}",
        "mean IoU": _rounded(found.mean_iou, 3),
        "mean score difference": _rounded(found.mean_score_difference, 4),
        "mean embedding cosine": _rounded(found.mean_cosine, 4),
    }
    values = "   ".join(value.rjust(len(name)) for name, value in cells.items())
    return f"people {scope}:\n  {'   '.join(cells)}\n  {values}"


def _rounded(mean: float | None, digits: int) -> str:
    return "-" if mean is None else f"{mean:.{digits}f}"
