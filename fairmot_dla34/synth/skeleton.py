"""Where a walker's joints are at each moment of a step.

Body frame: (forward, left, up), unit: the stature; the ground is at 0.
"""

from __future__ import annotations

import math

Point = tuple[float, float, float]

THIGH, SHIN, SOLE = 0.245, 0.246, 0.035
HIP_HALF, SHOULDER_HALF = 0.05, 0.108
SHOULDER_UP, HEAD_UP = 0.31, 0.415  # above the hips
UPPER_ARM, FOREARM = 0.172, 0.155
_FIXED_ARMS = {"pockets": (-0.12, 0.55), "phone": (0.35, 2.25), "carry": (0.1, 1.35)}  # shoulder, elbow, rad


def joints(phase: float, amplitude: float, *, arms: str, build: float, lean: float) -> dict[str, Point]:
    """Return the joints of a walking or standing person.

    Args:
        phase: Of the step cycle, rad; the left leg is foremost at pi / 2.
        amplitude: Of the swing: 0 stands, 1 walks briskly.
        arms: ``swing``, ``pockets``, ``phone`` or ``carry``; the last two hold the right arm only.
        build: Width of the body, 1 for the mean.
        lean: Forward lean of the trunk, rad.

    Returns:
        Joints by name; those of limbs end in ``_l`` or ``_r``.
    """
    found: dict[str, Point] = {}
    for side, sign, angle in (("l", 1.0, phase), ("r", -1.0, phase + math.pi)):
        found |= _leg(side, sign, angle, amplitude)
    lift = SOLE - min(found["ankle_l"][2], found["ankle_r"][2])  # the lower foot stands on the ground
    found = {name: (forward, left, up + lift) for name, (forward, left, up) in found.items()}
    lean += 0.04 * amplitude
    found["hips"] = (0.0, 0.0, lift)
    found["chest"] = (math.sin(lean) * SHOULDER_UP, 0.0, lift + math.cos(lean) * SHOULDER_UP)
    found["head"] = (math.sin(lean) * HEAD_UP + 0.012, 0.0, lift + math.cos(lean) * HEAD_UP)
    for side, sign, angle in (("l", 1.0, phase + math.pi), ("r", -1.0, phase)):
        held = arms if arms != "swing" and (arms == "pockets" or side == "r") else "swing"
        found |= _arm(side, sign, angle, amplitude, held=held, build=build, chest=found["chest"])
    return found


def _leg(side: str, sign: float, angle: float, amplitude: float) -> dict[str, Point]:
    thigh = amplitude * (0.43 * math.sin(angle) + 0.05)
    bend = 0.05 + amplitude * (0.12 + 0.9 * max(0.0, math.cos(angle)) ** 1.4)  # the swinging leg bends its knee
    shin = thigh - bend
    left = sign * HIP_HALF
    knee = (THIGH * math.sin(thigh), left, -THIGH * math.cos(thigh))
    ankle = (knee[0] + SHIN * math.sin(shin), left * 1.05, knee[2] - SHIN * math.cos(shin))
    pitch = 0.7 * min(0.0, shin + 0.12)  # the heel rises first
    toe = (ankle[0] + 0.085 * math.cos(pitch), left * 1.35, ankle[2] + 0.085 * math.sin(pitch) - 0.015)
    return {f"hip_{side}": (0.0, left, 0.0), f"knee_{side}": knee, f"ankle_{side}": ankle, f"toe_{side}": toe}


def _arm(
    side: str, sign: float, angle: float, amplitude: float, *, held: str, build: float, chest: Point
) -> dict[str, Point]:
    upper, elbow = _FIXED_ARMS.get(held, (amplitude * 0.42 * math.sin(angle), 0.2 + 0.35 * amplitude))
    left = sign * SHOULDER_HALF * build
    out = sign * (0.045 if held != "pockets" else 0.06)
    shoulder = (chest[0], left, chest[2] - 0.028)
    joint = (chest[0] + UPPER_ARM * math.sin(upper), left + out * 0.6, shoulder[2] - UPPER_ARM * math.cos(upper))
    inward = -0.9 * out if held in {"phone", "carry"} else 0.0
    hand = (
        joint[0] + FOREARM * math.sin(upper + elbow),
        joint[1] + (inward or 0.2 * out),
        joint[2] - FOREARM * math.cos(upper + elbow),
    )
    return {f"shoulder_{side}": shoulder, f"elbow_{side}": joint, f"hand_{side}": hand}
