"""Copy of a run's records in TensorBoard's event files, if the package tensorboard is installed."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_NOT_PLOTTED = frozenset({"kind", "step", "is_best", "elapsed_s"})


class TensorBoard:
    """Writer of event files. Without the package it does nothing; a failure is logged once, and the run continues.

    Args:
        folder: Folder of the event files; files of a new run replace earlier ones.
        resume_step: Finished steps of the state from which the run continues: TensorBoard hides later values of the
            interrupted run. None: the run is new.
    """

    def __init__(self, folder: Path, resume_step: int | None = None) -> None:
        self._writer: Any = None
        if importlib.util.find_spec("tensorboard") is None:
            return
        try:
            from torch.utils.tensorboard import SummaryWriter

            if resume_step is None:
                for path in folder.glob("events.out.tfevents.*"):
                    path.unlink()
            purge_step = None if resume_step is None else resume_step + 1
            self._writer = SummaryWriter(str(folder), purge_step=purge_step)
        except Exception as error:  # noqa: BLE001 (an optional package of any version must not end the run)
            self._give_up(error)

    def write(self, values: Mapping[str, Any]) -> None:
        """Add the numbers of a record, as ``train/NAME`` or ``validation/NAME``.

        Args:
            values: Record as `StepRecord.as_json` gives it.
        """
        if self._writer is None:
            return
        group = "train" if values["kind"] == "step" else "validation"
        try:
            for name, value in values.items():
                if name not in _NOT_PLOTTED and isinstance(value, (int, float)):
                    self._writer.add_scalar(f"{group}/{name}", value, values["step"])
            self._writer.flush()
        except Exception as error:  # noqa: BLE001 (as above; also a full disk, which the other files report)
            self._give_up(error)

    def close(self) -> None:
        """Close the event file; safe to call twice."""
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close()
            except Exception as error:  # noqa: BLE001 (as above)
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._writer = None
        logger.warning(
            "TensorBoard is not written from here on (%s: %s); metrics.jsonl has all numbers.",
            type(error).__name__,
            error,
        )
