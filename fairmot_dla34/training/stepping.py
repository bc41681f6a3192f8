"""One training step: forward, backward, checks for NaN and for lack of memory, and the update of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace

import torch
from torch import Tensor, nn

from ..errors import DivergedError, OutOfMemoryError
from ..memory import is_lack_of_memory
from .batches import Batch
from .distributed import World, lost_process
from .losses import LossCounts
from .model import Learner

MAX_GRADIENT_NORM = 35.0  # one wrong label must not undo the work of many steps


class Stepper:
    """Trains a model on batches.

    Args:
        learner: Model, average and optimiser, on the device; changed by each step.
        world: Processes of the run.
    """

    def __init__(self, learner: Learner, world: World) -> None:
        self._model, self._average, self._optimizer = learner.model, learner.average, learner.optimizer
        self._world = world
        self._parameters = [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
        self._parallel: Callable[..., tuple[Tensor, dict[str, Tensor]]] = self._model
        if world.size > 1:
            ids = [world.device.index] if world.device.type == "cuda" else None
            self._parallel = nn.parallel.DistributedDataParallel(self._model, device_ids=ids, broadcast_buffers=False)

    def step(self, batch: Batch, counts: LossCounts, *, rate: float, step: int) -> dict[str, float]:
        """Train on one batch.

        Args:
            batch: This process's part of the global batch.
            counts: Normalisers of the loss, over all processes.
            rate: Learning rate.
            step: Finished steps of the run.

        Returns:
            The unweighted parts of the loss by name, and the loss itself as ``loss``, over all processes.

        Raises:
            DivergedError: The loss or the gradient is NaN or infinite; the weights are those before the step.
            OutOfMemoryError: The step needs more memory than there is.
            TrainingError: Another process has ended.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        try:
            losses, norm = self._backward(batch, counts)
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, torch.cuda.OutOfMemoryError) or is_lack_of_memory(error):
                self._optimizer.zero_grad(set_to_none=True)
                raise self._too_large(batch, error) from error
            if self._world.size > 1:
                raise lost_process(self._world, error) from error
            raise
        if not math.isfinite(losses["loss"]) or not math.isfinite(norm):
            self._optimizer.zero_grad(set_to_none=True)
            raise self._diverged(batch, step, losses)
        self._optimizer.step()
        self._average.update(step + 1)
        return losses

    def _backward(self, batch: Batch, counts: LossCounts) -> tuple[dict[str, float], float]:
        """Compute the gradients; return the losses over all processes and the norm of the gradient."""
        device = self._world.device
        loss, parts = self._parallel(batch.images.to(device, non_blocking=True), batch.targets.to(device), counts)
        self._optimizer.zero_grad(set_to_none=True)
        # DistributedDataParallel averages; the counts make the loss of each process a share of a sum.
        (loss * self._world.size).backward()
        norm = nn.utils.clip_grad_norm_(self._parameters, MAX_GRADIENT_NORM)
        names = ["loss", *parts]
        values = self._world.sum(
            torch.stack([loss.detach().float(), *(part.detach().float() for part in parts.values())])
        )
        return dict(zip(names, values.tolist(), strict=True)), float(norm)

    def _diverged(self, batch: Batch, step: int, parts: dict[str, float]) -> DivergedError:
        """Return the error that names the step and the images whose losses are not finite."""
        bad = [name for name, part in parts.items() if not math.isfinite(part)]
        images = [name for number, name in enumerate(batch.names) if not self._is_finite(single_image(batch, number))]
        what = f"the loss of {', '.join(bad)} is not a finite number" if bad else "the gradient is not finite"
        return DivergedError(
            f"Training diverged at step {step + 1}: {what}, with {', '.join(images or batch.names)}. Check the "
            "labels of these images, or lower --lr; best.pdparams and the state before this step are kept."
        )

    def _is_finite(self, batch: Batch) -> bool:
        targets = batch.targets.to(self._world.device)
        with torch.no_grad():
            loss, _ = self._model(batch.images.to(self._world.device), targets, LossCounts.of(targets))
        return bool(torch.isfinite(loss))

    def _too_large(self, batch: Batch, error: BaseException) -> OutOfMemoryError:
        """Return the error that names the largest batch that fits, found by trying halves of this one."""
        size, world = len(batch.names), self._world.size
        while size > 1:
            size //= 2
            if self._fits(batch, size):
                remedy = f"a batch of {size * world} fits: use --batch-size {size * world}, or a smaller --input-size"
                break
        else:
            remedy = "use a smaller --input-size, --plain-neck or a machine with more memory"
        height, width = batch.images.shape[2:]
        return OutOfMemoryError(
            f"A step on {len(batch.names)} images of {width}x{height} needs more memory than {self._world.device} has; "
            f"{remedy}. ({str(error).splitlines()[0][:80]})"
        )

    def _fits(self, batch: Batch, size: int) -> bool:
        part = first_images(batch, size)
        if self._world.device.type == "cuda":
            torch.cuda.empty_cache()
        try:
            targets = part.targets.to(self._world.device)
            loss, _ = self._model(part.images.to(self._world.device), targets, LossCounts.of(targets))
            loss.backward()
        except (RuntimeError, MemoryError):
            return False
        finally:
            self._optimizer.zero_grad(set_to_none=True)
        return True


def first_images(batch: Batch, size: int) -> Batch:
    """Return the first images of a batch, with their targets."""
    return _selected(batch, slice(0, size))


def single_image(batch: Batch, number: int) -> Batch:
    """Return one image of a batch, with its targets."""
    return _selected(batch, slice(number, number + 1))


def _selected(batch: Batch, images: slice) -> Batch:
    targets = batch.targets
    start, stop = images.start, images.stop
    cells = (targets.cells[:, 0] >= start) & (targets.cells[:, 0] < stop)
    by_cell = {
        field.name: getattr(targets, field.name)[cells]
        for field in fields(targets)
        if field.name not in {"heatmap", "heatmap_mask"}
    }
    by_cell["cells"] = by_cell["cells"] - torch.tensor([start, 0, 0])
    selected = replace(targets, heatmap=targets.heatmap[images], heatmap_mask=targets.heatmap_mask[images], **by_cell)
    return replace(batch, images=batch.images[images], targets=selected, names=batch.names[images])
