"""Train the sample weights; README.md in this folder describes the recipe.

    python tools/sample_weights/train.py --data DATA --scenes scenes --start START.pdparams --output run

The stages run one after another. An interrupted run resumes from its last checkpoint when started again.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import torch
from data import load_real, load_rendered, number_identities
from loader import BatchLoader
from progress import Progress
from run import Run
from stages import STAGES, Stage
from targets import Targets
from torch import Tensor

MAX_GRADIENT_NORM = 10.0
SAVE_EVERY = 200  # steps


def train_stage(run: Run, stage: Stage, loader: BatchLoader) -> None:
    """Train the remaining steps of a stage."""
    run.start_stage(stage)
    progress = Progress(stage)
    for images, targets in loader:
        if run.step >= stage.steps:
            break
        losses = train_step(run, learning_rate(stage, run.step), images, targets)
        progress.add(run.step, losses)
        if run.step % SAVE_EVERY == 0:
            run.save()


def train_step(run: Run, rate: float, images: Tensor, targets: Targets) -> dict[str, float]:
    """Train on one batch.

    Args:
        run: Training state; updated.
        rate: Learning rate.
        images: ``(B, 3, S, S)`` uint8 RGB.
        targets: Targets of the batch.

    Returns:
        The unweighted parts of the loss by name.
    """
    for group in run.optimizer.param_groups:
        group["lr"] = rate
    scaled = (images.float() / 255).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = run.network(scaled, targets.cells)
    losses: dict[str, float]
    loss, losses = run.loss(outputs, targets)
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), MAX_GRADIENT_NORM)
    run.optimizer.step()
    run.step += 1
    run.update_average()
    return losses


def learning_rate(stage: Stage, step: int) -> float:
    """Return the learning rate of a step: a warm-up of 100 steps, then a cosine."""
    warm_up = min(1.0, (step + 1) / 100)
    cosine = 0.5 * (1 + math.cos(math.pi * step / stage.steps))
    return warm_up * (stage.final_rate + (stage.rate - stage.final_rate) * cosine)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with PETS09-S2L1, TUD-Campus and MOT17-mini")
    parser.add_argument("--scenes", type=Path, required=True, help="folder that render.py wrote; if missing: no scenes")
    parser.add_argument("--start", type=Path, required=True, help="checkpoint to start from")
    parser.add_argument("--output", type=Path, required=True, help="folder for last.pt (to resume) and weights.npz")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--until-stage", type=int, default=len(STAGES), help="number of stages to run; default: all")
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
        loader = BatchLoader(real, scenes, stage, seed=hash((arguments.seed, run.stage, run.step)) % 2**32)
        train_stage(run, stage, loader)
        loader.stop()
        run.save()
        run.stage, run.step = run.stage + 1, 0
        run.save()


if __name__ == "__main__":
    main()
