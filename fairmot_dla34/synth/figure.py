"""The measures of one person in one pose, as seen from the camera."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance, Colour
from .brush import Brush, shaded
from .skeleton import Point, joints

# Trunk from the hips up: height above them, half width, half depth, in statures.
_TRUNK = ((-0.02, 0.088, 0.068), (0.1, 0.084, 0.06), (0.22, 0.108, 0.07), (0.285, 0.112, 0.058), (0.325, 0.06, 0.035))
_FINE_PX = 55  # smaller people show no roundness of limbs


@dataclass(frozen=True)
class Pose:
    """How a person stands and is seen.

    Attributes:
        phase: Of the step cycle, rad.
        amplitude: Of the swing, 0 to 1.
        facing: Heading less the direction of view, rad: 0 walks away, pi comes closer, -pi / 2 walks to the right.
        elevation: By how much the camera looks down on the person, rad.
    """

    phase: float
    amplitude: float
    facing: float
    elevation: float


class Figure:
    """One person's joints and outlines in the plane of the picture, and the brush that draws them.

    Attributes:
        person: Looks.
        brush: Draws in statures from the middle of the feet.
        fine: Whether the person is large enough for details of shape.
        sin: Of the facing: 1 looks to the left, -1 to the right.
        cos: Of the facing: 1 walks away, -1 comes closer.
        rise: Sine of the elevation.
        flat: Joints by name: x, y up, and distance from the viewer, statures.
    """

    def __init__(self, person: Appearance, pose: Pose, brush: Brush) -> None:
        self.person, self.brush = person, brush
        self.fine = brush.scale > _FINE_PX
        self.sin, self.cos = math.sin(pose.facing), math.cos(pose.facing)
        self.rise, self._up = math.sin(pose.elevation), math.cos(pose.elevation)
        found = joints(pose.phase, pose.amplitude, arms=person.arms, build=person.build, lean=person.lean)
        self.flat = {name: self._project(point) for name, point in found.items()}
        self._hips, self._chest = found["hips"], found["chest"]

    def _project(self, point: Point) -> tuple[float, float, float]:
        forward, left, up = point
        away = forward * self.cos - left * self.sin
        return (
            -forward * self.sin - left * self.cos,
            up * self._up + away * self.rise,
            away * self._up - up * self.rise,
        )

    def row(self, above: float) -> tuple[float, float, float]:
        """Return the trunk's middle x, y and half width at a height above the hips."""
        side, depth = _trunk_at(above)
        side, depth = side * self.person.build, depth * (0.6 + 0.4 * self.person.build)
        lean = (self._chest[0] - self._hips[0]) / max(self._chest[2] - self._hips[2], 0.1)
        x, y, _ = self._project((self._hips[0] + lean * above, 0.0, self._hips[2] + above))
        return x, y, math.hypot(side * self.cos, depth * self.sin)

    def band(
        self, low: float, high: float, across: tuple[float, float] = (-1.0, 1.0), flare: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the outline of a piece of the trunk between two heights, over a share of its width."""
        inner = [above for above, _, _ in _TRUNK if low < above < high]
        rows = [self.row(above) for above in (low, *inner, high)]
        rows[0] = (rows[0][0], rows[0][1], rows[0][2] * flare)
        left = [(x + across[0] * half, y) for x, y, half in rows]
        right = [(x + across[1] * half, y) for x, y, half in reversed(rows)]
        return np.array(left + right)

    def limb(self, start: str, end: str, radii: tuple[float, float], colour: Colour) -> None:
        """Draw a limb between two joints, round where there is room for it."""
        a, b = self.flat[start], self.flat[end]
        self.brush.capsule(a[:2], b[:2], radii, shaded(colour, 0.86))
        if self.fine:
            shift = 0.22 * radii[0]
            inner = (radii[0] * 0.55, radii[1] * 0.55)
            self.brush.capsule((a[0] - shift, a[1]), (b[0] - shift, b[1]), inner, shaded(colour, 1.1))


def _trunk_at(above: float) -> tuple[float, float]:
    """Return the trunk's half width and half depth at a height above the hips, statures."""
    last = _TRUNK[0]
    for row in _TRUNK:
        if above < row[0]:
            part = max(above - last[0], 0.0) / (row[0] - last[0]) if row is not last else 0.0
            return last[1] + part * (row[1] - last[1]), last[2] + part * (row[2] - last[2])
        last = row
    return last[1], last[2]
