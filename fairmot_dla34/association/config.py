"""Settings of the association, each default with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ..config import check_amount, check_flag, check_fraction, shown
from ..errors import InvalidInputError
from .registry import check_used, find_method

DEFAULT_CONF_THRES = 0.4  # fairmot_dla34.yml
DEFAULT_LOW_CONF_THRES = 0.2  # fairmot_dla34_30e_1088x608_bytetracker.yml

_MEASURED = ("conf_thres", "low_conf_thres")  # may be None


@dataclass(frozen=True)
class TrackerConfig:
    """Settings of the association.

    Defaults: PaddleDetection 2.6, ``configs/mot/fairmot/_base_/fairmot_dla34.yml`` for what it sets,
    ``ppdet/modeling/mot/tracker/jde_tracker.py`` for the rest. Thresholds are from 0 to 1, the other numbers >= 0.

    Attributes:
        method: ``auto`` (adapts to detector, camera and frame rate; embeddings are optional), ``jde`` (embeddings, then
            IoU), ``byte`` (a second stage over low scores; embeddings are optional) or the name of a registered method,
            see ``registry.py``.
        conf_thres: Detections above it take part in the first stage. None: ``auto`` measures it in the video; 0.4 in
            the other methods, fairmot_dla34.yml.
        low_conf_thres: ``auto``, ``byte``: detections between it and ``conf_thres`` take part in the second stage.
            None: 0.1 in ``auto``, 0.2 in ``byte``, fairmot_dla34_30e_1088x608_bytetracker.yml.
        det_thresh: ``jde``: smallest score of a new track. 0.3, JDETracker. ``byte``, and ``auto`` if ``conf_thres`` is
            set, use ``conf_thres`` + 0.1, as JDETracker does with ``use_byte``.
        tracked_thresh: Largest cost of a match by embedding: the cosine distance, which ``jde`` and ``byte`` mix with
            that of motion (``fuse_motion`` in ``costs.py``). 0.4, fairmot_dla34.yml.
        match_thres: Largest IoU distance in the first stage of ``byte`` without embeddings. 0.8, bytetracker.yml.
        r_tracked_thresh: ``jde``: largest IoU distance in the second stage. 0.5, JDETracker.
        unconfirmed_thresh: Largest IoU distance of a match with a track seen once. 0.7, JDETracker.
        lost_buffer_s: Seconds a lost track is kept. None: 1.0 for ``jde`` and ``byte``, track_buffer 30 at 30 frames/s
            of JDETracker; 2.0 for ``auto``, see docs/association.md.
        min_box_area: Tracks of at most this area in px^2 are not reported. None: 200 for ``jde`` and ``byte``,
            fairmot_dla34.yml; 0 for ``auto``.
        vertical_ratio: Tracks with width / height above it are not reported; 0 reports all. 1.6, fairmot_dla34.yml.
        use_embeddings: Whether tracks are matched by embeddings too. False: by boxes only, as if the detections had no
            embeddings, which suits people dressed alike; ``jde`` refuses it.
        reid_buffer_s: Seconds after the lost buffer in which people who come back get their old id if their embedding
            leaves no doubt, see ``reentry.py``; 0 for never. ``auto`` with embeddings only.

    Raises:
        InvalidInputError: The method is unknown, a number is NaN or out of its range, the method needs the embeddings
            that ``use_embeddings=False`` excludes, or ``reid_buffer_s`` is set without ``auto`` and embeddings.
    """

    method: str = "auto"
    conf_thres: float | None = None
    low_conf_thres: float | None = None
    det_thresh: float = 0.3
    tracked_thresh: float = 0.4
    match_thres: float = 0.8
    r_tracked_thresh: float = 0.5
    unconfirmed_thresh: float = 0.7
    lost_buffer_s: float | None = None
    min_box_area: float | None = None
    vertical_ratio: float = 1.6
    use_embeddings: bool = True
    reid_buffer_s: float = 0.0

    def __post_init__(self) -> None:
        method = find_method(self.method)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith(("thres", "thresh")) and not (value is None and field.name in _MEASURED):
                self._set(field.name, check_fraction(field.name, value))
        for name in ("lost_buffer_s", "min_box_area", "vertical_ratio", "reid_buffer_s"):
            if getattr(self, name) is not None or name in {"vertical_ratio", "reid_buffer_s"}:
                self._set(name, check_amount(name, getattr(self, name)))
        check_flag("use_embeddings", self.use_embeddings)
        self._set("use_embeddings", bool(self.use_embeddings))
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        check_used(self.method, {name: value for name, (value, default) in values.items() if value != default})
        if method.needs_embeddings and not self.use_embeddings:
            raise InvalidInputError(
                f"use_embeddings is False, but method {self.method!r} matches by embeddings; expected method='auto', "
                "method='byte' or use_embeddings=True."
            )
        if self.reid_buffer_s and not (method.reenters and self.use_embeddings):
            used = f"method {self.method!r}" if not method.reenters else "use_embeddings=False"
            raise InvalidInputError(
                f"reid_buffer_s is {shown(self.reid_buffer_s)}, but with {used} people who come back do not get their "
                "old id; expected 0, or method='auto' with embeddings."
            )

    @classmethod
    def from_mapping(cls, settings: Mapping[str, object]) -> TrackerConfig:
        """Make the settings from names and values, such as a table of a TOML file.

        Args:
            settings: Values by attribute name; attributes that are left out keep their defaults.

        Raises:
            InvalidInputError: A name is not that of an attribute, or a value is not accepted.
        """
        if not isinstance(settings, Mapping):
            raise InvalidInputError(
                f"Tracker settings are {shown(settings)}; expected names and values, such as {{'conf_thres': 0.5}}."
            )
        names = [field.name for field in fields(cls)]
        unknown = [name for name in settings if name not in names]
        if unknown:
            raise InvalidInputError(f"Tracker setting is {shown(unknown[0])}; expected one of {', '.join(names)}.")
        return cls(**settings)  # type: ignore[arg-type]  # the values are checked when the settings are made

    def _set(self, name: str, value: float) -> None:
        """Replace a number of any type, such as a NumPy scalar, by the plain one."""
        object.__setattr__(self, name, value)

    @property
    def score_thresholds(self) -> tuple[float, float]:
        """``conf_thres`` and ``low_conf_thres``, or PaddleDetection's if they are None."""
        return (
            DEFAULT_CONF_THRES if self.conf_thres is None else self.conf_thres,
            DEFAULT_LOW_CONF_THRES if self.low_conf_thres is None else self.low_conf_thres,
        )

    @property
    def buffer_s(self) -> float:
        """Seconds a lost track is kept: ``lost_buffer_s``, or the method's default."""
        return find_method(self.method).lost_buffer_s if self.lost_buffer_s is None else self.lost_buffer_s

    @property
    def smallest_area(self) -> float:
        """Area in px^2 that reported tracks exceed: ``min_box_area``, or the method's default."""
        return find_method(self.method).min_box_area if self.min_box_area is None else self.min_box_area
