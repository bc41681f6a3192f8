"""One training step: forward, backward, checks for NaN and for lack of memory, and the update of the weights."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import DivergedError, OutOfMemoryError
from .batches.parts import first_images, single_image
from .batches.source import Batch
from .losses.fairmot_loss import LossCounts
from .memory.allocation import free_frames, lacks_memory, reason, return_freed_memory
from .model import Learner
from .processes.world import World, is_lost_process, lost_process

MAX_GRADIENT_NORM = 35.0  # one wrong label must not undo the work of many steps
_NAMED_IMAGES = 3  # in a message


class Stepper:
    """Trains a model on batches.

    Args:
        learner: Model, average and optimiser, on the device; changed by each step.
        world: Processes of the run.

    Attributes:
        is_whole: False if an update of the weights was interrupted, so that they belong to no step.
    """

    def __init__(self, learner: Learner, world: World) -> None:
        self._model, self._average, self._optimizer = learner.model, learner.average, learner.optimizer
        self._world = world
        self._parameters = [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
        self._statistics = list(self._model.buffers())
        self._parallel: Callable[..., tuple[Tensor, dict[str, Tensor]]] = self._model
        if world.size > 1:
            self._parallel = world.parallel(self._model)
        self.is_whole = True
        self._updates = 0

    def step(self, batch: Batch, counts: LossCounts, *, rate: float, step: int) -> dict[str, float]:
        """Train on one batch; after an error, the weights are those before the step, unless `is_whole` is False.

        Args:
            batch: This process's part of the global batch.
            counts: Normalisers of the loss, over all processes.
            rate: Learning rate.
            step: Finished steps of the run.

        Returns:
            The unweighted parts of the loss by name, and the loss itself as ``loss``, over all processes.

        Raises:
            DivergedError: The loss or the gradient is NaN or infinite.
            OutOfMemoryError: The step needs more memory than there is.
            TrainingError: Another process has ended.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with self._restored_on_error():
            try:
                losses, norm = self._backward(batch, counts)
                if math.isfinite(losses["loss"]) and math.isfinite(norm):
                    self._update(step)
                    return losses
            except (RuntimeError, MemoryError) as error:
                free_frames(error)
                if lacks_memory(error):
                    raise self._too_large(batch, error) from error
                if self._world.size > 1 and is_lost_process(error):
                    raise lost_process(self._world, error) from error
                raise
        raise self._diverged(batch, step, losses)

    @contextlib.contextmanager
    def _restored_on_error(self) -> Iterator[None]:
        """Undo the batch's changes of the norms' statistics, and drop its gradients, unless the step is complete."""
        before = [statistic.clone() for statistic in self._statistics]
        step_before = self._updates
        try:
            yield
        finally:
            if self._updates == step_before:
                self._optimizer.zero_grad(set_to_none=True)
                with torch.no_grad():
                    for statistic, earlier in zip(self._statistics, before, strict=True):
                        statistic.copy_(earlier)

    def _update(self, step: int) -> None:
        self.is_whole = False
        self._optimizer.step()  # allocates its averages in the first step
        self._average.update(step + 1)
        self._updates += 1
        self.is_whole = True

    def _backward(self, batch: Batch, counts: LossCounts) -> tuple[dict[str, float], float]:
        """Compute the gradients; return the losses over all processes and the norm of the gradient."""
        self._optimizer.zero_grad(set_to_none=True)
        device = self._world.device
        loss, parts = self._parallel(*_inputs(batch, counts, device))
        self._world.backward(loss)
        norm = nn.utils.clip_grad_norm_(self._parameters, MAX_GRADIENT_NORM)
        names = ["loss", *parts]
        values = self._world.sum(
            torch.stack([loss.detach().float(), *(part.detach().float() for part in parts.values())])
        )
        return dict(zip(names, values.tolist(), strict=True)), float(norm)

    def _diverged(self, batch: Batch, step: int, parts: dict[str, float]) -> DivergedError:
        """Return the error that names the step and the images whose losses are not finite."""
        bad = [name for name, part in parts.items() if not math.isfinite(part)]
        own = [name for number, name in enumerate(batch.names) if not self._is_finite(single_image(batch, number))]
        shares = self._world.gather(own)  # any process may report the error
        images = [name for share in shares for name in share] or list(batch.names)
        more = f" and {len(images) - _NAMED_IMAGES} more" if len(images) > _NAMED_IMAGES else ""
        what = f"the loss of {', '.join(bad)} is not a finite number" if bad else "the gradient is not finite"
        return DivergedError(
            f"Training diverged at step {step + 1}: {what}, with {', '.join(images[:_NAMED_IMAGES])}{more}. Check the "
            "labels of these images or lower --lr; the weights of the last good step are kept."
        )

    def _is_finite(self, batch: Batch) -> bool:
        was_training = self._model.training
        self._model.eval()  # the statistics stay, and processes need not wait for each other
        try:
            with torch.no_grad():
                loss, _ = self._model(*_inputs(batch, LossCounts.of(batch.targets, batch.taught), self._world.device))
            return bool(torch.isfinite(loss))
        finally:
            self._model.train(was_training)

    def _too_large(self, batch: Batch, error: BaseException) -> OutOfMemoryError:
        """Return the error that names the largest batch that fits."""
        remedy = "use a smaller --batch-size or --input-size, or a machine with more memory"
        if self._world.size == 1:  # the steps of several processes wait for each other
            in_pairs = self._model.loss.config.contrastive
            size = self._largest_batch(batch)
            size -= size % 2 if in_pairs else 0
            remedy = f"{size} fit{'s' if size == 1 else ''}: use --batch-size {size}, or a smaller --input-size"
            if not size:
                least = "two images are" if in_pairs else "one image is"
                remedy = f"{least} too much too: use a smaller --input-size or a machine with more memory"
        height, width = batch.images.shape[2:]
        return OutOfMemoryError(
            f"A step on {len(batch.names)} images of {width}x{height} needs more memory than {self._world.device} has; "
            f"{remedy}. ({reason(error)})"
        )

    def _largest_batch(self, batch: Batch) -> int:
        """Return the largest number of the batch's images that fits, found by bisection; 0 if one does not fit."""
        fits, fails = 0, len(batch.names)
        while fails - fits > 1:
            size = (fits + fails) // 2
            if self._fits(batch, size):
                fits = size
            else:
                fails = size
        return fits

    def _fits(self, batch: Batch, size: int) -> bool:
        """Compute the gradients of the first images twice, beside what an update will need."""
        self._optimizer.zero_grad(set_to_none=True)
        part = first_images(batch, size)
        return_freed_memory()
        try:
            # Adam keeps two numbers for each weight, from the first step on; the norm of the gradients takes a third.
            copies = 1 if self._updates else 3
            reserve = [torch.empty_like(parameter) for parameter in self._parameters for _ in range(copies)]
            for _ in range(2):  # the second step finds memory in pieces
                loss, _ = self._model(*_inputs(part, LossCounts.of(part.targets, part.taught), self._world.device))
                loss.backward()
            del reserve
        except (RuntimeError, MemoryError) as error:
            free_frames(error)
            return False
        return True


def _inputs(batch: Batch, counts: LossCounts, device: torch.device) -> tuple[Any, ...]:
    """Return the arguments of `TrainedModel` for a batch."""
    inputs = batch.images.to(device, non_blocking=True), batch.targets.to(device), counts
    return inputs if batch.taught is None else (*inputs, batch.taught.to(device))
