"""Actions between the steps of PaddleDetection's `Trainer`: checks, progress, metrics, snapshots and weights."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...architectures import Checkpoint, find_architecture
from ...config import InputSize
from ...console.signals import StopDeferred
from ...errors import DivergedError
from ...weights import write_pdparams
from ...weights.checkpoint_file import INPUT_SIZE_NAME
from ..folder import BEST_FILE, LAST_FILE
from ..records.metrics import MetricsLog, StepMeans
from ..records.progress import RunProgress
from .snapshots import Position, save_snapshot

RECORD_EVERY_S = 10.0
_LARGEST_OFFSET = 1e6  # cells
_LOSSES = {
    "loss": "loss",
    "heatmap_loss": "heatmap",
    "size_loss": "size",
    "offset_loss": "offset",
    "reid_loss": "identity",
}


class RunCallbacks:
    """Callbacks of a run, with the methods of ``ppdet.engine.callbacks.ComposeCallback``.

    Args:
        trainer: PaddleDetection's `Trainer`.
        run: Folder of the run.
        input_size: Network input, written beside the weights.
        position: Position of the run; updated.
        metrics: Log of the numbers.
        progress: Display.
    """

    def __init__(
        self,
        trainer: Any,
        run: Path,
        input_size: InputSize,
        *,
        position: Position,
        metrics: MetricsLog,
        progress: RunProgress,
    ) -> None:
        self._trainer, self._run, self._input_size = trainer, run, input_size
        self._position, self._metrics, self._progress = position, metrics, progress
        self._deferred = StopDeferred()
        self._means, self._epoch_losses = StepMeans(), list[float]()
        self._start_s = time.monotonic() - position.elapsed_s
        self._step_s = self._recorded_s = time.monotonic()
        for name, layer in trainer.model.named_sublayers():
            if name.endswith("conv_offset"):
                layer.register_forward_post_hook(self._check_offsets)

    def on_train_begin(self, status: dict[str, Any]) -> None:
        """Do nothing."""

    def on_train_end(self, status: dict[str, Any]) -> None:
        """Do nothing."""

    def on_epoch_begin(self, status: dict[str, Any]) -> None:
        """Choose the order of the images."""
        self._trainer.loader.start_epoch(int(status["epoch_id"]))
        self._epoch_losses.clear()
        self._step_s = time.monotonic()

    def on_step_begin(self, status: dict[str, Any]) -> None:  # noqa: ARG002 (the interface of Paddle's callbacks)
        """Let a stop signal wait for the end of the step."""
        self._deferred.__enter__()

    def on_step_end(self, status: dict[str, Any]) -> None:
        """Check and record the losses.

        Raises:
            DivergedError: A loss is not finite.
            KeyboardInterrupt: A signal arrived during the step.
        """
        try:
            self._record(status)
        finally:
            self._deferred.__exit__(None, None, None)

    def on_epoch_end(self, status: dict[str, Any]) -> None:  # noqa: ARG002 (as above)
        """Write the weights and the snapshot."""
        with StopDeferred():
            position = self._position
            position.epoch += 1
            mean = float(np.mean(self._epoch_losses))
            is_best = position.best_loss is None or mean < position.best_loss
            if is_best:
                position.best_loss, position.best_epoch = mean, position.epoch
                self.write_weights(BEST_FILE)
            self.write_weights(LAST_FILE)
            save_snapshot(self._run, self._trainer.model, self._trainer.optimizer, position)
            best = (
                " the lowest so far, written to best.pdparams" if is_best else f" lowest in epoch {position.best_epoch}"
            )
            self._progress.note(f"epoch {position.epoch}: mean training loss {mean:.4g},{best}")

    def write_weights(self, name: str) -> None:
        """Write the weights as they are now.

        Raises:
            OutputError: The file cannot be written.
            CheckpointError: An array is not finite.
        """
        arrays = {key: tensor.numpy() for key, tensor in self._trainer.model.state_dict().items()}
        checkpoint = Checkpoint(find_architecture("dla34"), arrays, f"the network after step {self._position.step}")
        size = np.array([self._input_size.width, self._input_size.height], np.float32)
        write_pdparams(self._run / name, {**checkpoint.arrays, INPUT_SIZE_NAME: size})

    def _record(self, status: dict[str, Any]) -> None:
        position, now_s = self._position, time.monotonic()
        meters = status["training_staus"].meters  # PaddleDetection's spelling
        losses = {name: float(np.ravel(meters[key].value)[0]) for key, name in _LOSSES.items()}
        position.elapsed_s = now_s - self._start_s
        names = self._trainer.loader.names
        bad = [name for name, value in losses.items() if not math.isfinite(value)]
        if bad:
            raise self._diverged(f"the loss of {', '.join(bad)} is not a finite number")
        position.step += 1
        self._epoch_losses.append(losses["loss"])
        seconds, self._step_s = now_s - self._step_s, now_s
        self._means.add(losses, images=len(names), seconds=seconds)
        self._progress.step(position.step, losses, images=len(names), seconds=seconds, elapsed_s=position.elapsed_s)
        is_last = status["step_id"] + 1 == status["steps_per_epoch"]
        if is_last or position.step == 1 or now_s - self._recorded_s >= RECORD_EVERY_S:
            self._recorded_s = now_s
            record = self._means.take(
                step=position.step,
                epoch=position.epoch,
                elapsed_s=position.elapsed_s,
                lr=float(status["learning_rate"]),
            )
            self._metrics.write(record)

    def _check_offsets(self, _: Any, __: Any, offsets: Any) -> None:
        """Check the offsets of a deformable convolution: NaN there ends the process in Paddle's operator."""
        if not float(offsets.abs().max()) <= _LARGEST_OFFSET:
            raise self._diverged("the network computes numbers that are not finite")

    def _diverged(self, problem: str) -> DivergedError:
        return DivergedError(
            f"Training diverged at step {self._position.step + 1}: {problem}, with "
            f"{', '.join(self._trainer.loader.names)}. Check their labels, or lower --lr; the weights of the last "
            "epoch are kept."
        )
