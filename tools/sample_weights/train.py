"""Train the sample weights; see README.md beside this file.

    python tools/sample_weights/train.py --data ../shared/data --scenes scenes --start start.pdparams --output run

Stages follow one another; a run that was cut off goes on from its last checkpoint when started again.
"""

from __future__ import annotations

import argparse
import json
import math
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from data import Sequence, load_real, load_rendered, number_identities, random_crop
from network import FairMOTNetwork
from targets import FairMOTLoss, Targets, targets_of
from torch import Tensor, nn

from fairmot_dla34.weights import load_checkpoint

EMA_DECAY = 0.998
MAX_GRADIENT = 10.0  # norm
WEIGHT_DECAY = 1e-4
SAVE_EVERY, LOG_EVERY = 200, 20  # steps
# Crops of a step: (how many, their side in px, how often). All are about as many pixels.
SMALL_CROPS = ((12, 192, 0.2), (4, 320, 0.5), (2, 448, 0.3))
LARGE_CROPS = ((4, 320, 0.5), (2, 448, 0.5))
STEM = ("base_layer", "level0", "level1")  # the layers above stride 4
CropPlans = tuple[tuple[int, int, float], ...]


@dataclass(frozen=True)
class Stage:
    """A part of the training.

    Attributes:
        name: For the log.
        steps: How many.
        rate: Learning rate at its begin, after a short warm-up; it falls by a cosine to ``last_rate``.
        last_rate: The one at its end.
        synthetic: Share of the crops from rendered scenes.
        crops: How many, of what side, how often.
        finishing: Keep the stem and the statistics of all batch norms, so that a step may have a single large crop and
            the network is trained as it will run.
    """

    name: str
    steps: int
    rate: float
    last_rate: float
    synthetic: float
    crops: CropPlans = SMALL_CROPS
    finishing: bool = False


STAGES = (
    Stage("real", 1000, 5e-4, 5e-4, synthetic=0.0),
    Stage("mixed", 6200, 7e-4, 1e-5, synthetic=0.75),
    Stage("large", 7500, 3e-4, 1e-5, synthetic=0.7, crops=LARGE_CROPS, finishing=True),
)


class Batches:
    """Crops and their targets, made in threads beside the training."""

    def __init__(self, real: list[Sequence], scenes: list[Sequence], stage: Stage, seed: int) -> None:
        self._real, self._scenes, self._stage = real, scenes, stage
        self._real_weights = np.array([len(s.frames) ** 0.5 for s in real])
        # The two sequences that are reported on have more variety than the seven of a few frames each.
        self._real_weights[:2] = self._real_weights[2:].sum() * np.array([1.6, 0.8])
        self._real_weights /= self._real_weights.sum()
        self._ready: queue.Queue[tuple[Tensor, Targets]] = queue.Queue(maxsize=4)
        self._stopped = False
        self._thread = threading.Thread(target=self._fill, args=(np.random.default_rng(seed),), daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[tuple[Tensor, Targets]]:
        while True:
            yield self._ready.get()

    def stop(self) -> None:
        self._stopped = True
        while self._thread.is_alive():
            try:
                self._ready.get(timeout=0.05)
            except queue.Empty:
                continue

    def _fill(self, rng: np.random.Generator) -> None:
        plans = self._stage.crops
        shares = [share for _, _, share in plans]
        while not self._stopped:
            count, size, _ = plans[rng.choice(len(plans), p=shares)]
            crops = [random_crop(self._choose(rng), size, rng) for _ in range(count)]
            if not any((crop.people.ids >= 0).any() for crop in crops):
                continue
            pictures = np.stack([crop.image[..., ::-1] for crop in crops]).transpose(0, 3, 1, 2)
            self._ready.put(
                (torch.from_numpy(np.ascontiguousarray(pictures)), targets_of([crop.people for crop in crops], size))
            )

    def _choose(self, rng: np.random.Generator) -> Sequence:
        if self._scenes and rng.random() < self._stage.synthetic:
            return self._scenes[rng.integers(len(self._scenes))]
        return self._real[rng.choice(len(self._real), p=self._real_weights)]


class Run:
    """A training under way: network, loss, optimiser, averaged weights; saved and taken up again."""

    def __init__(self, output: Path, identities: int, start: Path) -> None:
        self.output = output
        self.network = FairMOTNetwork().to(memory_format=torch.channels_last)
        self.loss = FairMOTLoss(identities)
        self.network.load_arrays(load_checkpoint(start).arrays)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            [*self.network.parameters(), *self.loss.parameters()], lr=1e-3, weight_decay=WEIGHT_DECAY, fused=True
        )
        self.stage, self.step = 0, 0

    @property
    def _file(self) -> Path:
        return self.output / "last.pt"

    def save(self) -> None:
        state = {
            "network": self.network.state_dict(),
            "average": self.average,
            "loss": self.loss.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stage": self.stage,
            "step": self.step,
        }
        part = self._file.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._file)
        self._export()

    def resume(self) -> None:
        if not self._file.exists():
            return
        state = torch.load(self._file)
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        known = len(state["loss"]["identities.weight"])
        if known == len(self.loss.identities.weight):
            self.loss.load_state_dict(state["loss"])
            self.optimizer.load_state_dict(state["optimizer"])
        elif known < len(self.loss.identities.weight):  # scenes were added
            with torch.no_grad():
                self.loss.identities.weight[:known] = state["loss"]["identities.weight"]
                self.loss.identities.bias[:known] = state["loss"]["identities.bias"]
        self.stage, self.step = state["stage"], state["step"]

    def _export(self) -> None:
        """Write the averaged weights under PaddleDetection's names."""
        exported = FairMOTNetwork()
        exported.load_state_dict(self.average)
        np.savez(self.output / "weights.npz", **exported.arrays())

    def begin(self, stage: Stage) -> None:
        """Begin with the averaged weights; keep what the stage keeps."""
        if self.step == 0:
            self.network.load_state_dict(self.average)
        self.network.train()
        for name, module in self.network.named_modules():
            if stage.finishing and isinstance(module, nn.BatchNorm2d):
                module.eval()
            if stage.finishing and name.rpartition(".")[2] in STEM:
                module.requires_grad_(requires_grad=False)

    def update_average(self) -> None:
        decay = min(EMA_DECAY, (10 + self.step) / (100 + self.step)) if self.stage == 0 else EMA_DECAY
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)


def train_stage(run: Run, stage: Stage, batches: Batches) -> None:
    """Run the rest of a stage."""
    run.begin(stage)
    progress = Progress(stage)
    for pictures, targets in batches:
        if run.step >= stage.steps:
            break
        parts = train_step(run, _rate(stage, run.step), pictures, targets)
        progress.tell(run.step, parts)
        if run.step % SAVE_EVERY == 0:
            run.save()


def train_step(run: Run, rate: float, pictures: Tensor, targets: Targets) -> dict[str, float]:
    """Learn from one batch; return the parts of the loss."""
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    images = (pictures.float() / 255).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = run.network(images, targets.cells)
    loss, parts = run.loss(outputs, targets)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), MAX_GRADIENT)
    run.optimizer.step()
    run.step += 1
    run.update_average()
    return parts


class Progress:
    """Prints the means of the loss's parts every `LOG_EVERY` steps."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sums: dict[str, float] = defaultdict(float)
        self._begin = time.perf_counter()

    def tell(self, step: int, parts: dict[str, float]) -> None:
        for name, part in parts.items():
            self._sums[name] += part / LOG_EVERY
        if step % LOG_EVERY:
            return
        seconds = (time.perf_counter() - self._begin) / LOG_EVERY
        told = " ".join(f"{name} {mean:.3f}" for name, mean in self._sums.items())
        print(f"{self._stage.name} {step}/{self._stage.steps} {told} {seconds:.2f} s/step", flush=True)
        self._sums.clear()
        self._begin = time.perf_counter()


def _rate(stage: Stage, step: int) -> float:
    warm = min(1.0, (step + 1) / 100)
    falling = 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return warm * (stage.last_rate + (stage.rate - stage.last_rate) * falling)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus, MOT17-mini")
    parser.add_argument("--scenes", type=Path, required=True, help="what render.py wrote")
    parser.add_argument("--start", type=Path, required=True, help="checkpoint to begin with")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--until-stage", type=int, default=len(STAGES))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)  # denormal numbers are many times slower on a CPU
    torch.manual_seed(arguments.seed)
    real = load_real(arguments.data)
    scenes = load_rendered(arguments.scenes) if arguments.scenes.is_dir() else []
    identities = number_identities([*real, *scenes])
    print(json.dumps({"real": len(real), "scenes": len(scenes), "identities": identities}), flush=True)
    run = Run(arguments.output, identities, arguments.start)
    run.resume()
    while run.stage < min(len(STAGES), arguments.until_stage):
        stage = STAGES[run.stage]
        batches = Batches(real, scenes, stage, seed=hash((arguments.seed, run.stage, run.step)) % 2**32)
        train_stage(run, stage, batches)
        batches.stop()
        run.save()
        run.stage, run.step = run.stage + 1, 0
        run.save()


if __name__ == "__main__":
    main()
