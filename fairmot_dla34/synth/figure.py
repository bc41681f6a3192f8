"""Geometry of one person in one pose: joints of a walking body, and their outlines as the camera sees them.

Body frame: (forward, left, up), in statures, the ground at 0. Image plane: x to the right, y up, in statures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .appearance import Appearance
from .drawing import Brush, Colour, shaded

Point = tuple[float, float, float]  # in the body frame

THIGH, SHIN, SOLE = 0.245, 0.246, 0.035  # lengths; SOLE is the height of the ankle
HIP_HALF, SHOULDER_HALF = 0.05, 0.108  # half widths
SHOULDER_UP, HEAD_UP = 0.31, 0.415  # heights above the hips
UPPER_ARM, FOREARM = 0.172, 0.155  # lengths
_FIXED_ARMS = {"pockets": (-0.12, 0.55), "phone": (0.35, 2.25), "carry": (0.1, 1.35)}  # shoulder, elbow, rad
# Cross sections of the trunk: height above the hips, half width, half depth.
_TRUNK = ((-0.02, 0.088, 0.068), (0.1, 0.084, 0.06), (0.22, 0.108, 0.07), (0.285, 0.112, 0.058), (0.325, 0.06, 0.035))
_DETAIL_PX = 55  # smaller people are drawn without highlights on their limbs


@dataclass(frozen=True)
class Pose:
    """Pose of a person, and the direction it is seen from.

    Attributes:
        phase: Phase of the step cycle, rad.
        amplitude: Amplitude of the step, 0 (standing) to 1 (brisk walk).
        facing: Heading relative to the direction of view, rad: 0 walks away, pi comes closer, -pi / 2 walks right.
        elevation: Angle by which the camera looks down on the person, rad.
    """

    phase: float
    amplitude: float
    facing: float
    elevation: float


def joints(phase: float, amplitude: float, *, arms: str, build: float, lean: float) -> dict[str, Point]:
    """Return the joints of a walking or standing person.

    Args:
        phase: Phase of the step cycle, rad; at pi / 2 the left leg is foremost.
        amplitude: Amplitude of the step, 0 to 1.
        arms: ``swing``, ``pockets``, ``phone`` or ``carry``; the last two hold the right arm only.
        build: Width of the body relative to the mean.
        lean: Forward lean of the trunk, rad.

    Returns:
        Points in the body frame by name; the names of limb joints end in ``_l`` or ``_r``.
    """
    found: dict[str, Point] = {}
    for side, sign, angle in (("l", 1.0, phase), ("r", -1.0, phase + math.pi)):
        found |= _leg_joints(side, sign, angle, amplitude)
    lift = SOLE - min(found["ankle_l"][2], found["ankle_r"][2])  # puts the lower foot on the ground
    found = {name: (forward, left, up + lift) for name, (forward, left, up) in found.items()}
    lean += 0.04 * amplitude
    found["hips"] = (0.0, 0.0, lift)
    found["chest"] = (math.sin(lean) * SHOULDER_UP, 0.0, lift + math.cos(lean) * SHOULDER_UP)
    found["head"] = (math.sin(lean) * HEAD_UP + 0.012, 0.0, lift + math.cos(lean) * HEAD_UP)
    for side, sign, angle in (("l", 1.0, phase + math.pi), ("r", -1.0, phase)):
        held = arms if arms != "swing" and (arms == "pockets" or side == "r") else "swing"
        found |= _arm_joints(side, sign, angle, amplitude, held=held, build=build, chest=found["chest"])
    return found


def _leg_joints(side: str, sign: float, angle: float, amplitude: float) -> dict[str, Point]:
    thigh = amplitude * (0.43 * math.sin(angle) + 0.05)
    bend = 0.05 + amplitude * (0.12 + 0.9 * max(0.0, math.cos(angle)) ** 1.4)  # the swinging leg bends its knee
    shin = thigh - bend
    left = sign * HIP_HALF
    knee = (THIGH * math.sin(thigh), left, -THIGH * math.cos(thigh))
    ankle = (knee[0] + SHIN * math.sin(shin), left * 1.05, knee[2] - SHIN * math.cos(shin))
    pitch = 0.7 * min(0.0, shin + 0.12)  # the heel rises first
    toe = (ankle[0] + 0.085 * math.cos(pitch), left * 1.35, ankle[2] + 0.085 * math.sin(pitch) - 0.015)
    return {f"hip_{side}": (0.0, left, 0.0), f"knee_{side}": knee, f"ankle_{side}": ankle, f"toe_{side}": toe}


def _arm_joints(
    side: str, sign: float, angle: float, amplitude: float, *, held: str, build: float, chest: Point
) -> dict[str, Point]:
    upper, bend = _FIXED_ARMS.get(held, (amplitude * 0.42 * math.sin(angle), 0.2 + 0.35 * amplitude))
    left = sign * SHOULDER_HALF * build
    out = sign * (0.045 if held != "pockets" else 0.06)
    shoulder = (chest[0], left, chest[2] - 0.028)
    elbow = (chest[0] + UPPER_ARM * math.sin(upper), left + out * 0.6, shoulder[2] - UPPER_ARM * math.cos(upper))
    inward = -0.9 * out if held in {"phone", "carry"} else 0.0
    hand = (
        elbow[0] + FOREARM * math.sin(upper + bend),
        elbow[1] + (inward or 0.2 * out),
        elbow[2] - FOREARM * math.cos(upper + bend),
    )
    return {f"shoulder_{side}": shoulder, f"elbow_{side}": elbow, f"hand_{side}": hand}


class Figure:
    """Joints and outlines of one person in the image plane, and the brush that draws them.

    Attributes:
        person: Appearance.
        brush: Brush in statures, with its origin between the feet.
        detailed: Whether the person is large enough for highlights on the limbs.
        sin: Sine of the facing: 1 faces left, -1 right.
        cos: Cosine of the facing: 1 faces away from the camera, -1 towards it.
        rise: Sine of the elevation.
        joints: Joints by name: x, y, and distance from the viewer relative to the feet, in statures.
    """

    def __init__(self, person: Appearance, pose: Pose, brush: Brush) -> None:
        self.person, self.brush = person, brush
        self.detailed = brush.scale > _DETAIL_PX
        self.sin, self.cos = math.sin(pose.facing), math.cos(pose.facing)
        self.rise, self._up = math.sin(pose.elevation), math.cos(pose.elevation)
        found = joints(pose.phase, pose.amplitude, arms=person.arms, build=person.build, lean=person.lean)
        self.joints = {name: self._project(point) for name, point in found.items()}
        self._hips, self._chest = found["hips"], found["chest"]

    def _project(self, point: Point) -> tuple[float, float, float]:
        forward, left, up = point
        away = forward * self.cos - left * self.sin
        return (
            -forward * self.sin - left * self.cos,
            up * self._up + away * self.rise,
            away * self._up - up * self.rise,
        )

    def trunk_row(self, above: float) -> tuple[float, float, float]:
        """Return the trunk's middle x, y and half width at a height above the hips, in statures."""
        side, depth = _trunk_section(above)
        side, depth = side * self.person.build, depth * (0.6 + 0.4 * self.person.build)
        lean = (self._chest[0] - self._hips[0]) / max(self._chest[2] - self._hips[2], 0.1)
        x, y, _ = self._project((self._hips[0] + lean * above, 0.0, self._hips[2] + above))
        return x, y, math.hypot(side * self.cos, depth * self.sin)

    def trunk_band(
        self, low: float, high: float, across: tuple[float, float] = (-1.0, 1.0), flare: float = 1.0
    ) -> NDArray[np.float64]:
        """Return the outline of the trunk between two heights.

        Args:
            low: Lower height above the hips, in statures.
            high: Upper height above the hips, in statures.
            across: Left and right end in half widths, -1 to 1 for the whole width.
            flare: Factor on the width of the lower edge.

        Returns:
            ``(N, 2)`` corners in the image plane, in statures.
        """
        inner = [above for above, _, _ in _TRUNK if low < above < high]
        rows = [self.trunk_row(above) for above in (low, *inner, high)]
        rows[0] = (rows[0][0], rows[0][1], rows[0][2] * flare)
        left = [(x + across[0] * half, y) for x, y, half in rows]
        right = [(x + across[1] * half, y) for x, y, half in reversed(rows)]
        return np.array(left + right)

    def draw_limb(self, start: str, end: str, radii: tuple[float, float], colour: Colour) -> None:
        """Draw a limb between two joints, with a highlight if the person is large enough."""
        a, b = self.joints[start], self.joints[end]
        self.brush.capsule(a[:2], b[:2], radii, shaded(colour, 0.86))
        if self.detailed:
            shift = 0.22 * radii[0]
            inner = (radii[0] * 0.55, radii[1] * 0.55)
            self.brush.capsule((a[0] - shift, a[1]), (b[0] - shift, b[1]), inner, shaded(colour, 1.1))


def _trunk_section(above: float) -> tuple[float, float]:
    """Return the trunk's half width and half depth at a height above the hips, interpolated from `_TRUNK`."""
    last = _TRUNK[0]
    for row in _TRUNK:
        if above < row[0]:
            part = max(above - last[0], 0.0) / (row[0] - last[0]) if row is not last else 0.0
            return last[1] + part * (row[1] - last[1]), last[2] + part * (row[2] - last[2])
        last = row
    return last[1], last[2]
