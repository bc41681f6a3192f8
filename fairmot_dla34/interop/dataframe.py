"""Results as a pandas table with one row per track and frame."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config import shown
from ..errors import InvalidInputError
from ..values import TRACK_COLUMNS, FrameResult, Track
from .packages import import_package

if TYPE_CHECKING:
    import pandas as pd

_WHOLE = {"frame", "id", "age_frames", "class_id"}


def to_dataframe(results: Iterable[FrameResult]) -> pd.DataFrame:
    """Return one row per track and frame, with the columns of the ``.csv`` file and numbers that are not rounded.

    Frames without tracks have no row, and results without tracks give an empty table with all columns.

    Args:
        results: Results in order, such as ``model.track("street.mp4")``; a generator is read to its end.

    Returns:
        ``frame`` from 1 (`FrameResult.index` + 1), ``time_s``, ``id``, ``x1``, ``y1``, ``x2``, ``y2`` in image px,
        ``score``, ``age_frames``, ``class_id``, ``filled``: int64, float64, and bool for ``filled``.

    Raises:
        PackageUnavailableError: pandas is not installed.
        InvalidInputError: ``results`` is not an iterable of `FrameResult`.
    """
    pandas = import_package("pandas", "to_dataframe")
    given: object = results
    if not isinstance(given, Iterable) or isinstance(given, str | bytes):
        raise InvalidInputError(
            f"results is {shown(results)}; expected results as FairMOT.track yields them; for one result pass [result]."
        )
    columns: dict[str, array[Any]] = {name: array("q" if name in _WHOLE else "d") for name in TRACK_COLUMNS}
    for position, result in enumerate(given):
        if not isinstance(result, FrameResult):
            raise InvalidInputError(
                f"results[{position}] is {shown(result)}; expected a FrameResult. From (frame, result) pairs take the "
                "results."
            )
        for track in result.tracks:
            _append(columns, result, track)
    table = pandas.DataFrame({name: np.array(column) for name, column in columns.items()})
    return table.astype({"filled": bool})


def _append(columns: dict[str, array[Any]], result: FrameResult, track: Track) -> None:
    place = (result.index + 1, result.time_s, track.track_id, *track.box)
    facts = (track.score, track.age_frames, track.class_id, track.filled)
    try:
        for column, value in zip(columns.values(), (*place, *facts), strict=True):
            column.append(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(f"{shown(track)} cannot be a row ({error}); expected numbers in all fields.") from error
