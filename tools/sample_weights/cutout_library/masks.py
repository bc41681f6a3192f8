"""Masks of people: from the difference to an empty background, or by GrabCut from a box."""

from __future__ import annotations

import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.synth.appearance import random_appearance
from fairmot_dla34.synth.figure import Pose
from fairmot_dla34.synth.person import draw_person
from fairmot_dla34.synth.rng import random_stream

from .mask_shapes import Box, Mask

DIFFERENCE = 22  # of 255: px that differ more from the background are probably a person's
SAME = 7  # px that differ less are background
SHADOW = 0.42, 0.97  # brightness of a shadow as a share of the background's
SHADOW_ROWS = 0.3  # share of a box, at its lower end, in which shadows are looked for
SHADOW_TINT = 5  # largest change of the tint in a shadow, of 255 in LAB
WORK_HEIGHT = 180  # px: boxes of stills are reduced to this height for GrabCut
STABLE = 0.86  # least IoU of the masks from two starts
CERTAIN = 0.88  # share of people who cover a point of their box that is certainly a person's
UNLIKELY = 0.015  # share of people below which a point of the box is certainly background
_PRIOR_STREAM, _PRIOR_PEOPLE = 102, 60


def mask_by_difference(image: NDArray[np.uint8], plate: NDArray[np.uint8], box: Box) -> Mask | None:
    """Find a person by the difference to the background.

    Args:
        image: ``(H, W, 3)`` BGR.
        plate: ``(H, W, 3)`` BGR, the same view without the person.
        box: Box of the person within the image.

    Returns:
        ``(H, W)``, or None if nothing differs.
    """
    blurred, empty = cv2.GaussianBlur(image, (3, 3), 0), cv2.GaussianBlur(plate, (3, 3), 0)
    difference = cv2.absdiff(blurred, empty).max(axis=2)
    before, after = (cv2.cvtColor(each, cv2.COLOR_BGR2LAB).astype(np.float32) for each in (empty, blurred))
    share = after[..., 0] / np.maximum(before[..., 0], 1)
    tint = np.abs(after[..., 1:] - before[..., 1:]).max(axis=2)
    is_shadow = (share > SHADOW[0]) & (share < SHADOW[1]) & (tint < SHADOW_TINT)
    inside = _inside(image.shape[:2], box)
    is_shadow[: round(box[3] - SHADOW_ROWS * (box[3] - box[1]))] = False
    probable = (difference > DIFFERENCE) & ~is_shadow & inside
    certain = cv2.erode(((difference > 2.5 * DIFFERENCE) & probable).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    states = np.full(image.shape[:2], cv2.GC_PR_BGD, np.uint8)
    states[probable] = cv2.GC_PR_FGD
    states[certain] = cv2.GC_FGD
    states[~inside | (difference < SAME)] = cv2.GC_BGD
    found = _grab_cut(image, states, 2)
    return None if found is None else _cleaned(found & inside, box[3] - box[1])


def mask_by_grab_cut(image: NDArray[np.uint8], box: Box) -> Mask | None:
    """Find an upright person in a still image by GrabCut, from the mean shape of people in the box.

    Returns:
        ``(H, W)``, or None if two starts with different shapes do not lead to the same mask.
    """
    scale = min(1.0, WORK_HEIGHT / (box[3] - box[1]))
    small = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    corners = [round(side * scale) for side in box]
    inside = _inside(small.shape[:2], (corners[0], corners[1], corners[2], corners[3]))
    width, height = corners[2] - corners[0], corners[3] - corners[1]
    prior = np.zeros(small.shape[:2], np.float32)
    part = prior[corners[1] : corners[3], corners[0] : corners[2]]
    part[:] = cv2.resize(person_prior(), (width, height))[: part.shape[0], : part.shape[1]]
    masks = []
    for threshold in (0.3, 0.6):
        states = np.where(prior > threshold, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        states[prior > CERTAIN] = cv2.GC_FGD
        states[~inside | (prior < UNLIKELY)] = cv2.GC_BGD
        found = _grab_cut(small, states, 5)
        if found is None:
            return None
        masks.append(_cleaned(found & inside, height))
    if np.count_nonzero(masks[0] & masks[1]) < STABLE * np.count_nonzero(masks[0] | masks[1]):
        return None
    size = image.shape[1::-1]
    large = cv2.resize(masks[0].astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large > 0.5) & _inside(image.shape[:2], box)


def with_alpha(image: NDArray[np.uint8], mask: Mask) -> NDArray[np.uint8]:
    """Return BGRA with a soft edge that is mostly inside the mask, since px at the edge show the background too."""
    height = cv2.boundingRect(mask.astype(np.uint8))[3]
    solid = mask.astype(np.float32)
    if height > 150:
        solid = np.asarray(cv2.erode(solid, np.ones((3, 3), np.uint8)), np.float32)
    sigma = float(np.clip(height / 200, 0.5, 1.2))
    alpha = np.clip(cv2.GaussianBlur(solid, (0, 0), sigma) * 1.5 - 0.35, 0, 1) * 255
    return np.dstack([image, alpha.astype(np.uint8)])


@functools.cache
def person_prior() -> NDArray[np.float32]:
    """Return ``(128, 64)``: share of rendered people who cover each point of their box."""
    total = np.zeros((128, 64), np.float32)
    for number in range(_PRIOR_PEOPLE):
        rng = random_stream(number, _PRIOR_STREAM)
        phase, amplitude, facing = (float(value) for value in rng.random(3) * (6.28, 1.0, 6.28))
        pose = Pose(phase, amplitude, facing, elevation=0.1)
        alpha = draw_person(random_appearance(rng), pose, 80.0)[0][..., 3]
        left, top, width, height = cv2.boundingRect((alpha > 127).astype(np.uint8))
        part = alpha[top : top + height, left : left + width].astype(np.float32) / 255
        total += cv2.resize(part, (64, 128), interpolation=cv2.INTER_AREA)
    return np.asarray(total / _PRIOR_PEOPLE, np.float32)


def _inside(size: tuple[int, ...], box: Box) -> Mask:
    found = np.zeros(size, bool)
    found[max(box[1], 0) : box[3], max(box[0], 0) : box[2]] = True
    return found


def _grab_cut(image: NDArray[np.uint8], states: NDArray[np.uint8], iterations: int) -> Mask | None:
    """Return the foreground; None if there is none to start from, or no background."""
    person = (states == cv2.GC_FGD) | (states == cv2.GC_PR_FGD)
    if np.count_nonzero(person) < 20 or np.count_nonzero(~person) < 20:
        return None
    cv2.setRNGSeed(0)  # GrabCut clusters colours from random starts
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, states, (0, 0, 1, 1), background, foreground, iterations, cv2.GC_INIT_WITH_MASK)
    return np.asarray((states == cv2.GC_FGD) | (states == cv2.GC_PR_FGD))


def _cleaned(mask: Mask, height: int) -> Mask:
    """Return the mask without gaps, specks, and holes that are small."""
    side = 2 * max(1, height // 100) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    image = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    image = cv2.morphologyEx(image, cv2.MORPH_OPEN, kernel) if height > 100 else image
    least = 0.04 * np.count_nonzero(image)
    for value in (1, 0):  # parts, then holes
        count, labels, rows, _ = cv2.connectedComponentsWithStats((image == value).astype(np.uint8), connectivity=4)
        for number in range(1, count):
            if rows[number, cv2.CC_STAT_AREA] < (least if value else 0.3 * least):
                image[labels == number] = 1 - value
    return image > 0
