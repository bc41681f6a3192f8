"""int8 by post-training quantisation. Only making such a network needs NNCF; running it does not."""

from __future__ import annotations

from .agreement import Agreement
from .quantize import quantize
from .report import QuantizationReport, report_json, report_text

__all__ = ["Agreement", "QuantizationReport", "quantize", "report_json", "report_text"]
