"""Embeddings of the people of a video, of those in view and of those who left, in bounded memory.

Whoever is tracked is looked at once a second, and the most different embeddings are kept: the views of a person. How
far views are from a first embedding, of the same person and of others, is measured on the people in view.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .appearance import Spread
from .tracklet import Tracklets

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.intp]

MAX_LEFT = 1_000  # people who left; whoever left first makes room

_MAX_VIEWS = 8
_VIEW_S = 1.0  # time between two views
_SETTLED_S = 2.0  # age at which the distances of a person are measured, and then at every double age
_MOST_MEASURED = 20  # people whose distances are measured in one frame; the others follow a second later


@dataclass
class Person:
    """A person whose id is kept.

    Attributes:
        track_id: The id.
        class_id: Heatmap channel.
        first_frame: Number of the frame in which the person was first seen.
        first: ``(E,)`` embedding when the person was first reported.
        views: ``(V, E)`` the first embedding and later ones, each of unit length, or zeros if unknown.
        view_frames: Numbers of the frames of the views.
        measured_frame: Number of the frame from which on the distances of the person are measured again.
        last_frame: Number of the frame in which a person who left was seen last.
    """

    track_id: int
    class_id: int
    first_frame: int
    first: FloatArray
    views: FloatArray
    view_frames: list[int]
    measured_frame: float
    last_frame: int = 0

    @property
    def nbytes(self) -> int:
        """Size of the embeddings in bytes."""
        return self.first.nbytes + self.views.nbytes

    def add(self, embedding: FloatArray, frame: int) -> None:
        """Add a view; of too many, the older one of the two most similar ones is dropped, but never the first."""
        self.views = np.concatenate([self.views, embedding[None]])
        self.view_frames.append(frame)
        if len(self.views) > _MAX_VIEWS:
            likeness = self.views @ self.views.T
            likeness[np.tril_indices(len(likeness))] = -np.inf
            likeness[0] = -np.inf
            dropped = int(likeness.max(axis=1).argmax())
            self.views = np.delete(self.views, dropped, axis=0)
            del self.view_frames[dropped]


class Album:
    """Views of several people in one array, for fast comparisons.

    Args:
        people: P > 0 people.
    """

    def __init__(self, people: Sequence[Person]) -> None:
        self._views = np.concatenate([one.views for one in people])
        self._starts = np.cumsum([0, *(len(one.views) for one in people[:-1])])
        self._firsts = np.stack([one.first for one in people])

    def distances(self, embedding: FloatArray) -> FloatArray:
        """Return the cosine distance ``(P,)`` from an embedding to the nearest view of each person."""
        smallest: FloatArray = np.minimum.reduceat(1 - self._views @ embedding, self._starts)
        return smallest

    def distances_to(self, person: Person) -> FloatArray:
        """Return the distance ``(P,)`` from the first embedding of each person to the nearest view of ``person``."""
        smallest: FloatArray = (1 - self._firsts @ person.views.T).min(axis=1)
        return smallest


class Gallery:
    """People of a video by id.

    Args:
        frame_rate: Frames per second of the source.
        keep_frames: Frames since a person was last seen for which the id is kept.

    Attributes:
        present: People in view or in the lost buffer.
        left: People who left, at most 1,000, in the order in which they left.
        same: Distances from the first embedding of a person to the nearest later view of the same person.
        different: Distances from the first embedding of a person to the nearest view of others in the same frame.
    """

    def __init__(self, frame_rate: float, keep_frames: int) -> None:
        self.present: dict[int, Person] = {}
        self.left: dict[int, Person] = {}
        self.same = Spread(mean=0.15, variance=0.02)  # as in `AppearanceModel`
        self.different = Spread(mean=0.6, variance=0.04)
        self._frame_rate = frame_rate
        self._keep_frames = keep_frames
        self._view_frame = 0.0

    @property
    def nbytes(self) -> int:
        """Size of all embeddings in bytes."""
        return sum(one.nbytes for people in (self.present, self.left) for one in people.values())

    def leave(self, before: Tracklets, after: Tracklets) -> None:
        """Move the people of the tracklets that are in ``before`` and not in ``after`` to those who left."""
        for row in np.flatnonzero((before.track_ids > 0) & ~np.isin(before.track_ids, after.track_ids)):
            person = self.present.pop(int(before.track_ids[row]))
            person.last_frame = int(before.last_frames[row])
            self.left[person.track_id] = person
        while len(self.left) > MAX_LEFT:
            del self.left[next(iter(self.left))]

    def forget(self, before: Tracklets, after: Tracklets) -> None:
        """Remove the people of the tracklets that are in ``before`` and not in ``after``: duplicates of others."""
        for track_id in np.setdiff1d(before.track_ids, after.track_ids).tolist():
            self.present.pop(track_id, None)

    def expire(self, frame: int) -> None:
        """Remove the people who left too long before ``frame``."""
        oldest = frame - self._keep_frames
        self.left = {track_id: one for track_id, one in self.left.items() if one.last_frame >= oldest}

    def look(self, tracklets: Tracklets, rows: IntArray, frame: int) -> None:
        """Add the people who are new or came back; once a second, add a view of everybody and measure distances.

        Args:
            tracklets: All tracklets; those of ``rows`` have ids.
            rows: Rows of the tracks that the frame reports.
            frame: Number of the frame.
        """
        seen = [(int(tracklets.track_ids[row]), int(row)) for row in rows]
        for track_id, row in seen:
            if track_id not in self.present:
                self.present[track_id] = self._arrived(tracklets, row, frame)
        if frame < self._view_frame:
            return
        self._view_frame = frame + _VIEW_S * self._frame_rate
        self._measure([self.present[track_id] for track_id, _ in seen], frame)
        for track_id, row in seen:
            person, embedding = self.present[track_id], tracklets.embeddings[row]
            if person.view_frames[-1] < frame and embedding.any():
                person.add(embedding, frame)

    def _arrived(self, tracklets: Tracklets, row: int, frame: int) -> Person:
        """Return the person of a tracklet that is reported for the first time."""
        track_id, first = int(tracklets.track_ids[row]), tracklets.embeddings[row].copy()
        person = self.left.pop(track_id, None)
        if person is not None:
            person.add(first, frame)
            person.measured_frame = math.inf  # the decision would count as its own evidence
            return person
        return Person(
            track_id=track_id,
            class_id=int(tracklets.class_ids[row]),
            first_frame=int(tracklets.first_frames[row]),
            first=first,
            views=first[None],
            view_frames=[frame],
            measured_frame=frame + _SETTLED_S * self._frame_rate,
        )

    def _measure(self, people: Sequence[Person], frame: int) -> None:
        """Measure the distances of those of ``people`` who are due; all are in view."""
        due = [row for row, one in enumerate(people) if frame >= one.measured_frame and one.first.any()]
        if not due:
            return
        album = Album(people)
        for row in due[:_MOST_MEASURED]:
            person = people[row]
            reported = person.view_frames[0]
            person.measured_frame = 2 * frame - reported
            settled = np.array(person.view_frames) >= reported + _SETTLED_S * self._frame_rate
            if settled.any():
                self.same.add((1 - person.views[settled] @ person.first).min(keepdims=True))
            self.different.add(np.delete(album.distances(person.first), row))
