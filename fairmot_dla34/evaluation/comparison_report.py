"""The report on two checkpoints that were compared on a video, its limits, and its verdict."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..config import InputSize


@dataclass(frozen=True)
class Limits:
    """Largest differences that rounding explains.

    Attributes:
        rounding: Number type whose rounding the limits allow for.
        score: Difference of the scores of a matched pair.
        box_px: Difference of a coordinate in network px.
        embedding: 1 - cosine of the embeddings.
        unmatched: Share of the detections without a partner in the other result.
        same_ids: Whether the track ids must be equal.
    """

    rounding: str
    score: float
    box_px: float
    embedding: float
    unmatched: float
    same_ids: bool


LIMITS = Limits("float32", score=1e-4, box_px=0.05, embedding=1e-4, unmatched=0.0, same_ids=True)
# About 30 to 100 times the differences measured with a trained DLA-34: score 1.8e-4, boxes 0.004 px, embeddings 2e-7.
# A score may cross the tracker's threshold, and the ids after that frame then differ.
FLOAT16_LIMITS = Limits("float16", score=5e-3, box_px=0.5, embedding=1e-3, unmatched=0.01, same_ids=False)


@dataclass(frozen=True)
class Comparison:
    """Largest differences of two checkpoints on the same frames.

    Attributes:
        weights: Name or path of the one checkpoint.
        other: Name or path of the other checkpoint.
        video: Name of the video.
        input_size: Network input of both in px.
        frames: Number of frames compared.
        detections: Number of detections above a score of 0.4 in one of the results, matched pairs once.
        unmatched: Number of those without a partner.
        score: Largest difference of the scores of a matched pair.
        box_px: Largest difference of a coordinate of a matched pair, network px.
        embedding: Largest 1 - cosine of the embeddings of a matched pair.
        tracks: Number of tracks of the one checkpoint.
        equal_ids: Whether every frame has the same track ids at the same places.
        limits: Largest differences that rounding explains.
    """

    weights: str
    other: str
    video: str
    input_size: InputSize
    frames: int
    detections: int
    unmatched: int
    score: float
    box_px: float
    embedding: float
    tracks: int
    equal_ids: bool
    limits: Limits

    @property
    def excess(self) -> tuple[str, ...]:
        """Everything that differs more than the limits; empty if the networks agree."""
        limits = self.limits
        found = []
        if self.unmatched > limits.unmatched * self.detections:
            found.append(f"{self.unmatched} of {self.detections} detections have no partner")
        for name, value, limit in self._differences:
            if not value <= limit:
                found.append(f"{name} differ by {value:.2g}, more than {limit:g}")
        if limits.same_ids and not self.equal_ids:
            found.append("track ids differ")
        return tuple(found)

    @property
    def agrees(self) -> bool:
        """True if the differences are within the limits."""
        return not self.excess

    @property
    def _differences(self) -> tuple[tuple[str, float, float], ...]:
        limits = self.limits
        return (
            ("scores", self.score, limits.score),
            ("boxes", self.box_px, limits.box_px),
            ("embeddings", self.embedding, limits.embedding),
        )


def comparison_text(found: Comparison) -> str:
    """Return the report as text for a person."""
    limits = found.limits
    rows = [
        ("largest difference", "found", "limit"),
        ("scores", f"{found.score:.2g}", f"{limits.score:g}"),
        ("boxes, network px", f"{found.box_px:.2g}", f"{limits.box_px:g}"),
        ("embeddings, 1 - cosine", f"{found.embedding:.2g}", f"{limits.embedding:g}"),
        ("detections without partner", f"{found.unmatched}", f"{limits.unmatched * found.detections:.0f}"),
        ("track ids", "equal" if found.equal_ids else "differ", "equal" if limits.same_ids else "may differ"),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    scope = (
        f"check on {found.frames} frames of {found.video} at {found.input_size}: {found.detections} detections, "
        f"{found.tracks} tracks"
    )
    lines = [f"  {row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}" for row in rows]
    verdict = f"the same within the rounding of {limits.rounding}" if found.agrees else "DIFFERENT"
    return "\n".join([scope, *lines, f"verdict: {verdict}"])


def comparison_fields(found: Comparison) -> dict[str, Any]:
    """Return the report as values that JSON has."""
    return asdict(found) | {"input_size": str(found.input_size), "agrees": found.agrees}
