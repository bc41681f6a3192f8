"""The values that pass from a source to the outputs: frozen, with shapes checked once, when they are made.

Coordinate frames: *network px* are pixels of the letterboxed network input, *image px* those of the source
frame. Boxes are ``xyxy`` (left, top, right, bottom), not clipped to the image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .config import is_number, shown
from .errors import InvalidInputError
from .records import flag, items, number, numbers, read_record, whole

if TYPE_CHECKING:
    from typing_extensions import Self

_MAX_CLASS_ID = 2**31 - 1  # the labels of any dataset


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded frame.

    Attributes:
        index: Position in the source, 0-based. Frames left out by a stride or by corruption leave gaps.
        time_s: Presentation time in seconds from the first frame.
        image: ``(H, W, 3)`` uint8, BGR.

    Raises:
        InvalidInputError: The image is not a non-empty ``(H, W, 3)`` uint8 array, or index or time is out of range.
    """

    index: int
    time_s: float
    image: NDArray[np.uint8]

    def __post_init__(self) -> None:
        check_image(self.image)
        index: object = self.index
        if isinstance(index, bool) or not isinstance(index, Integral) or int(index) < 0:
            raise InvalidInputError(f"Frame index is {shown(index)}; it counts from 0, so pass a number >= 0.")
        if not is_number(self.time_s):
            raise InvalidInputError(f"Frame time is {shown(self.time_s)} s; pass a finite number of seconds.")


@dataclass(frozen=True, eq=False)
class _Boxes:
    """Boxes with scores and, if known, embeddings and classes; subclasses define the coordinate frame."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    embeddings: NDArray[np.float32] | None = None
    class_ids: NDArray[np.int64] | None = None

    if TYPE_CHECKING:  # the arguments are converted, so lists of numbers are accepted too

        def __init__(
            self,
            boxes: ArrayLike,
            scores: ArrayLike,
            embeddings: ArrayLike | None = None,
            class_ids: ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        boxes = _float32("boxes", self.boxes)
        if boxes.size == 0:
            boxes = boxes.reshape(0, 4)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise InvalidInputError(f"boxes have shape {boxes.shape}; expected (N, 4) with xyxy rows.")
        scores = _float32("scores", self.scores)
        _expect_rows("scores", scores.shape, (len(boxes),))
        object.__setattr__(self, "boxes", boxes)
        object.__setattr__(self, "scores", scores)
        if self.embeddings is not None:
            embeddings = _float32("embeddings", self.embeddings)
            if embeddings.size == 0 and len(boxes) == 0:
                embeddings = embeddings.reshape(0, embeddings.shape[-1] if embeddings.ndim == 2 else 0)
            if embeddings.ndim != 2 or len(embeddings) != len(boxes):
                raise InvalidInputError(
                    f"embeddings have shape {embeddings.shape}; expected ({len(boxes)}, E), one row per box, or None."
                )
            object.__setattr__(self, "embeddings", embeddings)
        if self.class_ids is not None:
            class_ids = _whole_numbers("class_ids", self.class_ids)
            _expect_rows("class_ids", class_ids.shape, (len(boxes),))
            object.__setattr__(self, "class_ids", class_ids)

    def __len__(self) -> int:
        return len(self.boxes)

    __iter__ = None  # without it, Python would iterate with `__getitem__` and whole numbers

    def __getitem__(self, rows: slice | ArrayLike) -> Self:
        """Return some of the rows, in the given order: ``detections[detections.scores > 0.5]``.

        Args:
            rows: Truth values, one per row; or positions, which may be negative to count from the end; or a slice.

        Raises:
            InvalidInputError: ``rows`` is none of these, has another length than the boxes, or has a position beyond
                them.
        """
        chosen = rows if isinstance(rows, slice) else _row_index(rows, len(self))
        return type(self)(
            self.boxes[chosen],
            self.scores[chosen],
            None if self.embeddings is None else self.embeddings[chosen],
            None if self.class_ids is None else self.class_ids[chosen],
        )


@dataclass(frozen=True, eq=False, init=False)
class Peaks(_Boxes):
    """Peaks of the heatmap of one image, best first, returned by a backend.

    Attributes:
        boxes: ``(K, 4)`` float32, xyxy, network px, unclipped.
        scores: ``(K,)`` float32 in [0, 1].
        embeddings: ``(K, E)`` float32, unit L2 norm.
        class_ids: ``(K,)`` int64, the heatmap channel of each peak.
    """


@dataclass(frozen=True, eq=False, init=False)
class Detections(_Boxes):
    """Detections in one frame, the input of a tracker.

    Attributes:
        boxes: ``(N, 4)`` float32, xyxy, image px, unclipped. Numbers that float32 cannot hold become inf; the tracker
            drops boxes and scores that are not finite.
        scores: ``(N,)`` float32 in [0, 1].
        embeddings: ``(N, E)`` float32 or None; any scale; the tracker normalises a copy.
        class_ids: ``(N,)`` int64 from 0 to 2^31 - 1, or None; tracks never change class.

    Raises:
        InvalidInputError: A shape does not fit the others, or an array does not consist of real numbers: text, truth
            values, complex numbers, objects and masked arrays are refused.
    """


@dataclass(frozen=True)
class Track:
    """One person in one frame.

    Attributes:
        track_id: >= 1, unique within one tracker: 1, 2, 3, ... in the order in which tracks are first reported.
        box: (left, top, right, bottom) in image px, unclipped: the Kalman filter's estimate.
        score: Score of the detection this track was last matched with, in [0, 1].
        age_frames: Frames of the source since the track started, frames left out included; 0 in its first one.
        class_id: The heatmap channel; 0 is a person in every published checkpoint.
        filled: Not detected in this frame, but interpolated between two detections by ``fill_gaps``.
    """

    track_id: int
    box: tuple[float, float, float, float]
    score: float
    age_frames: int
    class_id: int = 0
    filled: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types: ``id``, ``box``, ``score``, ``age_frames``, ``class_id``, and ``filled`` if true."""
        fields: dict[str, Any] = {
            "id": int(self.track_id),
            "box": [float(value) for value in self.box],
            "score": float(self.score),
            "age_frames": int(self.age_frames),
            "class_id": int(self.class_id),
        }
        return fields | {"filled": True} if self.filled else fields

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Return the track of a dictionary that `to_dict` returned, or of an entry of a ``.jsonl`` file.

        Raises:
            InvalidInputError: A field is missing, unknown or not valid.
        """
        values = read_record("Track", fields, _TRACK_FIELDS)
        left, top, right, bottom = map(float, values.pop("box"))
        return cls(track_id=values.pop("id"), box=(left, top, right, bottom), **values)


@dataclass(frozen=True)
class FrameResult:
    """The tracks of one frame, in the tracker's order.

    Attributes:
        index: The frame's index, 0-based.
        time_s: The frame's time in seconds.
        tracks: Confirmed tracks matched in this frame, then interpolated ones.
    """

    index: int
    time_s: float
    tracks: tuple[Track, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types with the keys of a line in a ``.jsonl`` file; its numbers are those, unrounded.

        Returns:
            ``frame`` from 1, ``time_s``, and ``tracks`` as `Track.to_dict` returns them.
        """
        tracks = [track.to_dict() for track in self.tracks]
        return {"frame": int(self.index) + 1, "time_s": float(self.time_s), "tracks": tracks}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Return the result of a dictionary that `to_dict` returned, or of a line of a ``.jsonl`` file.

        Raises:
            InvalidInputError: A field is missing, unknown or not valid.
        """
        values = read_record("FrameResult", fields, _RESULT_FIELDS)
        return cls(values["frame"] - 1, float(values["time_s"]), tuple(map(Track.from_dict, values["tracks"])))


_TRACK_FIELDS = {
    "id": whole(1),
    "box": numbers(4, "left, top, right, bottom in px"),
    "score": number(),
    "age_frames": whole(0),
    "class_id": whole(0, _MAX_CLASS_ID),
    "filled": flag(),
}
_RESULT_FIELDS = {"frame": whole(1), "time_s": number(), "tracks": items()}


# Columns of a table with one row per track and frame: frame from 1, corners in image px.
TRACK_COLUMNS = ("frame", "time_s", "id", "x1", "y1", "x2", "y2", "score", "age_frames", "class_id", "filled")


@dataclass(frozen=True)
class Measured:
    """Measurements of a video by the association, in its latest frames; None: not measured.

    Attributes:
        person_score: Median score of tracked people.
        camera_motion: Root of the mean square of the camera's motion between two frames, in heights of a person.
        height_noise: Standard deviation of the detected heights of a person, as a share of the height.
        appearance: Probability that two embeddings of one person are nearer to each other than those of two people:
            0.5 if embeddings say nothing, 1 if they never err.
    """

    person_score: float | None = None
    camera_motion: float | None = None
    height_noise: float | None = None
    appearance: float | None = None


@dataclass(frozen=True)
class TrackingSummary:
    """Summary of a finished run.

    Attributes:
        source: Name of the source.
        paths: Files written.
        frames: Frames tracked.
        frames_skipped: Frames that could not be decoded.
        frames_dropped: Frames left out because a newer one had arrived; see ``newest_frame`` of `FairMOT.track`.
        track_ids: Number of different ids in the outputs.
        seconds: Wall seconds of the run, from the request for the first frame to the closing of the outputs.
        stage_seconds: Busy seconds per stage: ``decode`` (with the wait for a live source), ``letterbox``, ``network``,
            ``association``, ``outputs``. Stages overlap: their sum may exceed ``seconds``.
        backend: Name, device and precision of the backend, the text that is logged.
        ended: Reason for the end of the run: ``end`` of the source, ``lost`` (a live source dropped or broke),
            ``stalled`` (a live source sent nothing any more), ``closed`` (the window of ``show`` was closed), or
            ``interrupted`` (Ctrl-C, SIGTERM).
        measured: Measurements by the association; all None for methods that measure nothing.
        analytics: Totals of lines, zones and heat map as plain JSON types; None without an analysis.
    """

    source: str
    paths: tuple[Path, ...]
    frames: int
    frames_skipped: int
    frames_dropped: int
    track_ids: int
    seconds: float
    stage_seconds: dict[str, float]
    backend: str
    ended: str = "end"
    measured: Measured = Measured()
    analytics: dict[str, Any] | None = None

    @property
    def frames_per_second(self) -> float:
        """Frames tracked per wall second of the run."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


MAX_IMAGE_PIXELS = 16384 * 16384  # far beyond 8K video; larger arrays are mistakes


def check_image(image: object, what: str = "image") -> None:
    """Check that ``image`` is an image this package can track.

    Raises:
        InvalidInputError: It is not a ``(H, W, 3)`` uint8 array with 1 <= H * W <= 16384 * 16384.
    """
    expected = "expected a BGR image, a (H, W, 3) uint8 numpy array"
    if not isinstance(image, np.ndarray):
        raise InvalidInputError(f"{what} is a {type(image).__name__}; {expected}, as cv2.imread returns it.")
    if image.ndim != 3 or image.shape[2] != 3:
        hint = "convert grey images with cv2.COLOR_GRAY2BGR and drop an alpha channel"
        raise InvalidInputError(f"{what} has shape {image.shape}; {expected}: {hint}.")
    if image.dtype != np.uint8:
        raise InvalidInputError(
            f"{what} has dtype {image.dtype}; {expected}: scale to 0..255 and use .astype('uint8')."
        )
    if image.size == 0:
        raise InvalidInputError(f"{what} is empty, shape {image.shape}; {expected} with at least one pixel.")
    if image.shape[0] * image.shape[1] > MAX_IMAGE_PIXELS:
        raise InvalidInputError(
            f"{what} has shape {image.shape}, over {MAX_IMAGE_PIXELS} pixels; {expected}: resize it to a video's size."
        )


def _numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return an array of real numbers. Conversions that lose something, such as text, masks or None, are refused."""
    expected = "expected real numbers, such as a float32 array"
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:  # RuntimeError: a tensor with a gradient
        raise InvalidInputError(f"{name} cannot be read as numbers ({error}); {expected}.") from error
    if isinstance(values, np.ma.MaskedArray):
        raise InvalidInputError(f"{name} is a masked array; remove the masked rows and pass the others as an array.")
    if array.dtype.kind not in "fiu":
        raise InvalidInputError(
            f"{name} cannot be read as numbers (dtype {array.dtype}, shape {array.shape}); {expected}."
        )
    return array


def _float32(name: str, values: ArrayLike) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, which the tracker drops
        return _numbers(name, values).astype(np.float32, copy=False)


def _whole_numbers(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Return an int64 array of numbers from 0 to 2^31 - 1; floats must be whole."""
    array = _numbers(name, values)
    if array.dtype.kind == "f":
        array = array.astype(np.float64)  # float16 cannot hold the bound
    if array.size and not (array.min() >= 0 and array.max() <= _MAX_CLASS_ID):  # False for NaN
        bad = array[~((array >= 0) & (array <= _MAX_CLASS_ID))]
        raise InvalidInputError(f"{name} has {bad[0]}; expected whole numbers from 0 to {_MAX_CLASS_ID}.")
    if array.dtype.kind == "f" and (array % 1).any():
        raise InvalidInputError(f"{name} has {array[array % 1 != 0][0]}; expected whole numbers.")
    return array.astype(np.int64, copy=False)


def _row_index(rows: ArrayLike, count: int) -> NDArray[np.bool_] | NDArray[np.intp]:
    """Return a mask or positions as an index of ``count`` rows."""
    expected = f"expected {count} truth values, positions from {-count} to {count - 1}, or a slice"
    try:
        index = np.asarray(rows)
    except Exception as error:
        raise InvalidInputError(f"The index of the rows cannot be read ({error}); {expected}.") from error
    if index.ndim == 0 and index.dtype.kind in "iu":
        raise InvalidInputError(f"The index of the rows is {shown(rows)}; {expected}. For one row use [[{index}]].")
    if isinstance(rows, np.ma.MaskedArray) or index.ndim != 1 or (index.size and index.dtype.kind not in "biu"):
        raise InvalidInputError(f"The index of the rows has dtype {index.dtype} and shape {index.shape}; {expected}.")
    if index.dtype == np.bool_:
        if len(index) != count:
            raise InvalidInputError(
                f"The index of the rows has {len(index)} truth values; expected {count}, one per box."
            )
        return index
    if index.size and not -count <= index.min() <= index.max() < count:
        bad = index[(index < -count) | (index >= count)][0]
        raise InvalidInputError(f"The index of the rows has {bad}; {expected}.")
    return index.astype(np.intp)


def _expect_rows(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if shape != expected:
        raise InvalidInputError(f"{name} have shape {shape}; expected {expected}, one per box.")
