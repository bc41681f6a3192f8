"""Gives people who come back after the lost buffer their old id, if embeddings leave no doubt.

The first embedding of a new track is compared with the views of everybody in the gallery. That it is typical of one
person in this video is not enough, because people look alike. The distance also has to be rare among strangers, or far
smaller than that of anybody else. Strangers to either side are known: the other people of the gallery. Both tests
have sources: normalization by cohorts in speaker verification (S-norm, Kenny 2010), and the ratio to the second nearest
in image matching (Lowe 2004).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .gallery import Album, Gallery, Person
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

_TYPICAL_LIMIT = 2.0  # standard deviations above the mean distance of one person
_FALSE_ALARMS = 0.01  # most people among those who left who are expected to be as near by chance
_MARGIN = 6.0  # 2 ln 20: the second nearest is 20 times less likely to be the same person
_RATIO = 3.0  # of the distances of the second nearest and the nearest; as cosine distances, which are squares
_LEAST_STRANGERS = 3  # for a ratio to mean something
_PRIOR_STRANGERS = 3  # strangers that the distances of the whole video count as


class _Found(NamedTuple):
    """Distances around the nearest person who left.

    Attributes:
        distance: Distance to the nearest view.
        to_strangers: ``(S,)`` distances from the new embedding to everybody else.
        from_strangers: ``(S,)`` distances from the first embeddings of everybody else to the views of the person.
        left: Number of people who left.
    """

    distance: float
    to_strangers: FloatArray
    from_strangers: FloatArray
    left: int


class ReEntry:
    """Decides who of the people who left came back.

    Args:
        frame_rate: Frames per second of the source.
        keep_frames: Frames since a person was last seen for which the id is kept.

    Attributes:
        gallery: People whose ids are kept.
    """

    def __init__(self, frame_rate: float, keep_frames: int) -> None:
        self.gallery = Gallery(frame_rate, keep_frames)

    def give_old_ids(self, tracklets: Tracklets, rows: IntArray, frame: int) -> None:
        """Give people who came back the id and the first frame that they had, in place.

        If two new tracks claim one id, neither gets it.

        Args:
            tracklets: All tracklets at the end of the frame; ``track_ids`` and ``first_frames`` are changed.
            rows: Rows of the tracks that the frame reports.
            frame: Number of the frame.
        """
        self.gallery.expire(frame)
        new = rows[tracklets.track_ids[rows] == 0]
        if not len(new) or not self.gallery.left:
            return
        claims = [0] * len(new)
        for class_id in np.unique(tracklets.class_ids[new]).tolist():
            members = np.flatnonzero(tracklets.class_ids[new] == class_id)
            for index, claim in zip(members, self._claims(tracklets.embeddings[new[members]], class_id), strict=True):
                claims[index] = claim
        times = Counter(claims)
        for row, claim in zip(new, claims, strict=True):
            if claim and times[claim] == 1:
                tracklets.track_ids[row] = claim
                tracklets.first_frames[row] = self.gallery.left[claim].first_frame

    def _claims(self, embeddings: FloatArray, class_id: int) -> list[int]:
        """Return the old ids of the people of a class whose first embeddings are given; 0 if there is a doubt."""
        left = [one for one in self.gallery.left.values() if one.class_id == class_id]
        if not left:
            return [0] * len(embeddings)
        present = [one for one in self.gallery.present.values() if one.class_id == class_id]
        album = Album(left + present)
        return [self._claim(one, left, album) for one in embeddings]

    def _claim(self, embedding: FloatArray, left: Sequence[Person], album: Album) -> int:
        """Return the old id of one person, see `_claims`; ``left`` are the first people of the album."""
        distances = album.distances(embedding)
        best = int(np.argmin(distances[: len(left)]))
        distance = float(distances[best])
        if distance > self._typical_limit or not embedding.any():
            return 0
        to_person = album.distances_to(left[best])
        # A person who came back unrecognized is in the gallery twice, and is then no stranger.
        known = self._may_be_one(left, best, np.minimum(to_person, album.distances(left[best].first)))
        strangers = np.setdiff1d(np.arange(len(distances)), known)
        found = _Found(distance, distances[strangers], to_person[strangers], len(left))
        if not (self._is_rare(found) or self._is_nearest_by_far(found)):
            return 0
        return max((left[row] for row in known), key=lambda one: one.last_frame).track_id

    def _may_be_one(self, left: Sequence[Person], best: int, distances: FloatArray) -> list[int]:
        """Return the rows of those who may be the person of row ``best``: alike, and never in view at once."""
        person, limit = left[best], self._typical_limit
        alike = np.flatnonzero(distances[: len(left)] <= limit).tolist()
        apart = [
            row
            for row in alike
            if left[row].first_frame > person.last_frame or person.first_frame > left[row].last_frame
        ]
        return [best, *apart]

    @property
    def _typical_limit(self) -> float:
        """Largest distance that is typical of one person."""
        same = self.gallery.same
        return same.mean + _TYPICAL_LIMIT * math.sqrt(same.variance)

    def _is_rare(self, found: _Found) -> bool:
        """Return whether hardly any stranger would be as near, and nobody else is nearly as near."""
        if len(found.to_strangers):
            second = self._deviation(float(found.to_strangers.min()))
            if second**2 - self._deviation(found.distance) ** 2 < _MARGIN:
                return False
        chances = [self._chance(found.distance, strangers) for strangers in found[1:3]]
        return max(chances) * found.left <= _FALSE_ALARMS

    def _is_nearest_by_far(self, found: _Found) -> bool:
        """Return whether the distance is below the mean of one person, and far below those of strangers."""
        if len(found.to_strangers) < _LEAST_STRANGERS or found.distance > self.gallery.same.mean:
            return False
        second = min(float(found.to_strangers.min()), float(found.from_strangers.min()))
        return second >= _RATIO * found.distance

    def _deviation(self, distance: float) -> float:
        """Return how many standard deviations a distance is above the mean of one person, at least 0."""
        same = self.gallery.same
        return max(0.0, (distance - same.mean) / math.sqrt(same.variance))

    def _chance(self, distance: float, strangers: FloatArray) -> float:
        """Return the probability that a stranger is nearer than ``distance``.

        The distances are taken for normal; the mean and variance of the whole video count as a few strangers more.
        """
        prior, count = self.gallery.different, len(strangers) + _PRIOR_STRANGERS
        mean = (float(strangers.sum()) + _PRIOR_STRANGERS * prior.mean) / count
        squares = float(((strangers - mean) ** 2).sum())
        squares += _PRIOR_STRANGERS * (prior.variance + (prior.mean - mean) ** 2)
        return 0.5 * math.erfc((mean - distance) / math.sqrt(2 * squares / count))
