"""Shows the tracked frames in a window while a run goes on: space pauses, s saves the frame, q ends the run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from ..closing import ClosedOnExit
from ..errors import InvalidInputError, OutputError
from ..files import output_error, write_whole
from .drawing import draw_tracks
from .sink import VIDEO_FOLDER
from .track_colours import TrackColours
from .trails import Trails

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ..values import Frame, FrameResult
    from .run_analysis import RunAnalysis
    from .sink import SinkContext

logger = logging.getLogger(__name__)

_QUIT, _PAUSE, _SAVE = ("q", "Q", "\x1b"), " ", ("s", "S")
_PAUSE_STEP_MS = 30
_LARGEST_PX = 1280  # of the window; larger images are shown smaller
_PROBE_S = 30
_REMEDY = "run it on a desktop, or without --show and open the video that it writes"
# Qt ends the process if the display cannot be opened, so that another process has to try.
_PROBE = "import cv2; cv2.namedWindow('fairmot_dla34'); cv2.waitKey(1)"


def check_display() -> None:
    """Check that this process can open a window.

    Raises:
        OutputError: There is no display, or OpenCV was built without windows.
        InvalidInputError: This is not the main thread, which the window systems expect.
    """
    if threading.current_thread() is not threading.main_thread():
        raise InvalidInputError(
            f"show is True in the thread {threading.current_thread().name}; expected the main thread of the program,"
            " because windows belong to it."
        )
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise OutputError(f"A window cannot be opened: DISPLAY is not set, so there is no display; {_REMEDY}.")
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OutputError(f"A window cannot be opened ({error}); {_REMEDY}.") from error
    if "not implemented" in done.stderr:
        raise OutputError(
            "A window cannot be opened: this OpenCV was built without windows (opencv-python-headless); install"
            " opencv-python in its place, or run without --show."
        )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[0]
        raise OutputError(f"A window cannot be opened ({reason}); {_REMEDY}.")


class Window(ClosedOnExit):
    """A window with the drawn frames. It opens with the first frame.

    Args:
        output_dir: Folder under which frames are saved, in ``mot_outputs``.
        name: Name of the source: title of the window and stem of saved frames.
        context: Settings of the run: what is drawn.
    """

    def __init__(self, output_dir: Path, name: str, context: SinkContext) -> None:
        self._folder, self._name, self._context = output_dir / VIDEO_FOLDER, name, context
        self._trails, self._colours = Trails(), TrackColours()
        self._image: NDArray[np.uint8] | None = None
        self._number = 0
        self._is_new = self._is_open = False

    def write(self, frame: Frame, result: FrameResult, analysis: RunAnalysis | None = None) -> None:
        """Draw a frame, and lines, zones and counts of an analysis; `refresh` shows it."""
        self._trails.update(result.tracks, frame.time_s)
        self._image = draw_tracks(
            frame.image,
            result.tracks,
            trails=self._trails,
            draw_threshold=self._context.draw_threshold,
            labels=self._context.labels,
            line_width=self._context.line_width,
            colours=self._colours,
            class_names=self._context.class_names,
        )
        if analysis is not None:
            analysis.draw(self._image)
        self._number, self._is_new = frame.index + 1, True

    def refresh(self) -> bool:
        """Show the newest frame and handle the keys pressed since; wait while the window is paused.

        Returns:
            False if the run shall end: q or Escape was pressed, or the window was closed.

        Raises:
            OutputError: The display was lost.
        """
        import cv2

        try:
            if self._image is not None and self._is_new:
                self._show(cv2, self._image)
            return not self._is_open or self._handle_keys(cv2)
        except cv2.error as error:
            raise OutputError(f"The window cannot be shown ({error}); {_REMEDY}.") from error

    def close(self) -> None:
        """Close the window; safe to call twice."""
        if self._is_open:
            import cv2

            self._is_open = False
            try:
                cv2.destroyWindow(self._title)
            except cv2.error:  # the person closed it
                logger.debug("The window was closed before.")

    @property
    def _title(self) -> str:
        return f"fairmot_dla34: {self._name}"

    def _show(self, cv2: Any, image: NDArray[np.uint8]) -> None:
        if not self._is_open:
            cv2.namedWindow(self._title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
            height, width = image.shape[:2]
            scale = min(1.0, _LARGEST_PX / max(height, width))
            cv2.resizeWindow(self._title, max(1, round(width * scale)), max(1, round(height * scale)))
            self._is_open = True
        elif self._is_closed(cv2):
            return  # imshow would open it again
        cv2.imshow(self._title, image)
        self._is_new = False

    def _handle_keys(self, cv2: Any) -> bool:
        """Handle one key, and all of them until the next space while the window is paused."""
        is_paused = False
        while True:
            key = chr(cv2.waitKey(_PAUSE_STEP_MS if is_paused else 1) & 0xFF)
            if key in _QUIT or self._is_closed(cv2):
                return False
            if key in _SAVE:
                self._save(cv2)
            if key == _PAUSE:
                is_paused = not is_paused
            if not is_paused:
                return True

    def _is_closed(self, cv2: Any) -> bool:
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # in some builds, a window that does not exist any more
            return True

    def _save(self, cv2: Any) -> None:
        """Save the frame as it is shown, under a name that no file has."""
        _, encoded = cv2.imencode(".png", self._image)
        stem = f"{self._name}_frame{self._number:06d}"
        names = (f"{stem}{'' if copy == 1 else f'_{copy}'}.png" for copy in count(1))
        path = next(path for name in names if not (path := self._folder / name).exists())
        try:
            write_whole(path, encoded.tobytes())
        except OSError as error:  # the run goes on
            logger.warning("%s", output_error(path, error))
        else:
            logger.warning("Saved %s", path)
