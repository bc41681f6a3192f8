"""Training batches, cut and drawn by a background thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import numpy as np
import torch
from data import Sequence, random_crop
from stages import Stage
from targets import Targets, make_targets
from torch import Tensor


class BatchLoader:
    """Endless iterator over batches: images ``(B, 3, S, S)`` uint8 RGB, and their targets.

    Args:
        real: Real sequences; the first two are PETS09-S2L1 and TUD-Campus.
        scenes: Rendered sequences; may be empty.
        stage: Stage whose crops are produced.
        seed: Seed of all random choices.
    """

    def __init__(self, real: list[Sequence], scenes: list[Sequence], stage: Stage, seed: int) -> None:
        self._real, self._scenes, self._stage = real, scenes, stage
        self._real_weights = np.array([len(s.frames) ** 0.5 for s in real])
        # The first two sequences, whose scores are reported, have more variety than the seven short ones.
        self._real_weights[:2] = self._real_weights[2:].sum() * np.array([1.6, 0.8])
        self._real_weights /= self._real_weights.sum()
        self._queue: queue.Queue[tuple[Tensor, Targets]] = queue.Queue(maxsize=4)
        self._stopped = False
        self._thread = threading.Thread(target=self._produce, args=(np.random.default_rng(seed),), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[Tensor, Targets]]:
        while True:
            yield self._queue.get()

    def stop(self) -> None:
        """Stop the thread and wait for its end."""
        self._stopped = True
        while self._thread.is_alive():
            try:
                self._queue.get(timeout=0.05)
            except queue.Empty:
                continue

    def _produce(self, rng: np.random.Generator) -> None:
        plans = self._stage.plans
        shares = [plan.share for plan in plans]
        while not self._stopped:
            plan = plans[rng.choice(len(plans), p=shares)]
            crops = [random_crop(self._choose_sequence(rng), plan.size, rng) for _ in range(plan.crops)]
            if not any((crop.people.ids >= 0).any() for crop in crops):
                continue
            images = np.stack([crop.image[..., ::-1] for crop in crops]).transpose(0, 3, 1, 2)
            targets = make_targets([crop.people for crop in crops], plan.size)
            self._queue.put((torch.from_numpy(np.ascontiguousarray(images)), targets))

    def _choose_sequence(self, rng: np.random.Generator) -> Sequence:
        if self._scenes and rng.random() < self._stage.synthetic_share:
            return self._scenes[rng.integers(len(self._scenes))]
        return self._real[rng.choice(len(self._real), p=self._real_weights)]
