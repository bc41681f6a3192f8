"""The training loop: steps, saved states, validations and stops of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple
from typing import Protocol

import torch

from ..console.signals import StopDeferred
from .batches.source import Batch, BatchSource
from .losses.fairmot_loss import LossCounts
from .processes.world import World
from .schedule import RunLength, learning_rate, validation_is_due
from .state import Progress
from .stepping import Stepper

SAVE_EVERY_S = 120.0  # what a SIGKILL may cost


class RunActions(Protocol):
    """Actions of the first process between steps."""

    def record(self, progress: Progress, losses: dict[str, float], *, rate: float, images: int, seconds: float) -> None:
        """Record a step.

        Args:
            progress: Position after the step.
            losses: Unweighted parts of the loss by name, and ``loss``.
            rate: Learning rate.
            images: Images of the step, over all processes.
            seconds: Duration of the step.
        """

    def save(self, progress: Progress) -> None:
        """Write the state of the run."""

    def validate(self, progress: Progress, name: str = "") -> None:
        """Validate the averaged network; the name is by default that of the step."""


class NoActions:
    """Actions of a process that writes nothing."""

    def record(self, progress: Progress, losses: dict[str, float], *, rate: float, images: int, seconds: float) -> None:
        """Do nothing."""

    def save(self, progress: Progress) -> None:
        """Do nothing."""

    def validate(self, progress: Progress, name: str = "") -> None:
        """Do nothing."""


class TrainingLoop:
    """Trains until the run is complete or asked to stop.

    Args:
        source: Batches.
        stepper: Trains on a batch.
        length: Length of the run.
        rate: Highest learning rate.
        world: Processes of the run.
        actions: Actions between steps, of the first process only.
        val_every: Epochs between two validations; None: about ten in the run.
        teach: Adds a teacher's targets to a batch; None: without a teacher.
    """

    def __init__(
        self,
        source: BatchSource,
        stepper: Stepper,
        *,
        length: RunLength,
        rate: float,
        world: World,
        actions: RunActions,
        val_every: int | None = None,
        teach: Callable[[Batch], Batch] | None = None,
    ) -> None:
        self._source, self._teach = source, teach
        self._stepper = stepper
        self._length = length
        self._rate = rate
        self._world = world
        self._actions = actions
        self._val_every = val_every
        self._request: KeyboardInterrupt | None = None
        self._start_s = self._saved_s = self._validated_s = self._ready_s = time.monotonic()
        self._validation_s = 0.0

    def run(self, progress: Progress) -> None:
        """Train from a position of the run to its end.

        Args:
            progress: Position; updated.

        Raises:
            FairMOTError: A step failed; see `Stepper.step`.
            KeyboardInterrupt: A signal asked the run to stop, between two steps or, if it came twice, in one.
        """
        self._start_s = time.monotonic() - progress.elapsed_s
        self._saved_s = self._validated_s = time.monotonic()
        if progress.step:
            self._save_and_validate(progress)  # the run may have been interrupted before
        self._ready_s = time.monotonic()
        ended = False
        while not ended:
            with self._source.batches(progress.epoch, progress.epoch_step) as batches:
                ended = not all(self._train(batch, progress) for batch in batches)
            if not ended:
                progress.epoch, progress.epoch_step = progress.epoch + 1, 0
                ended = self._length.epochs is not None and progress.epoch >= self._length.epochs
        progress.elapsed_s = time.monotonic() - self._start_s

    def _train(self, batch: Batch, progress: Progress) -> bool:
        """Train on a batch, then save and validate if it is time; return False if the time of the run is over."""
        if self._teach is not None:
            batch = self._teach(batch)
        counts, share, stop = self._agree(batch, progress)
        if stop:
            raise self._request or KeyboardInterrupt
        if share >= 1:
            return False
        rate = learning_rate(self._rate, progress.step, share)
        step = progress.step
        try:
            with StopDeferred():  # a signal during the step raises at its end
                losses = self._stepper.step(batch, counts, rate=rate, step=step)
                progress.step, progress.epoch_step = step + 1, progress.epoch_step + 1
                progress.elapsed_s = time.monotonic() - self._start_s
                images, seconds = len(batch.names) * self._world.size, time.monotonic() - self._ready_s
                self._actions.record(progress, losses, rate=rate, images=images, seconds=seconds)
        except KeyboardInterrupt as request:
            if self._world.size == 1 or progress.step == step:
                raise
            self._request = request  # all processes end together, before the next step
            return True
        self._save_and_validate(progress)
        self._ready_s = time.monotonic()  # the speed counts batches and the teacher, not validation and saving
        return True

    def _agree(self, batch: Batch, progress: Progress) -> tuple[LossCounts, float, bool]:
        """Return the normalisers of the loss, the finished share of the run and whether to stop, over all processes."""
        elapsed_s = time.monotonic() - self._start_s if self._world.is_first else 0.0
        counts = LossCounts.of(batch.targets, batch.taught)
        own = [*astuple(counts), elapsed_s, float(self._request is not None)]
        *numbers, elapsed_s, stop = self._world.sum(
            torch.tensor(own, dtype=torch.float64, device=self._world.device)
        ).tolist()
        share = self._length.share(progress.step, elapsed_s)
        return LossCounts(*numbers), share, stop > 0

    def _save_and_validate(self, progress: Progress) -> None:
        """Validate if a share of the run is complete; save the state after that and every `SAVE_EVERY_S` seconds."""
        now_s = time.monotonic()
        share = self._length.share(progress.step, progress.elapsed_s)
        is_due = (
            self._world.is_first
            and progress.validated_step != progress.step
            and validation_is_due(
                self._length,
                self._val_every,
                step=progress.step,
                share=share,
                last_share=progress.validated_share,
                cost=self._validation_s / max(now_s - self._validated_s, 1e-9),
            )
        )
        if is_due:
            self._actions.validate(progress)
            progress.validated_share = share
            self._validated_s = time.monotonic()
            self._validation_s = self._validated_s - now_s
            progress.elapsed_s = self._validated_s - self._start_s
        if self._world.is_first and (is_due or now_s - self._saved_s >= SAVE_EVERY_S):
            self._actions.save(progress)
            self._saved_s = time.monotonic()
