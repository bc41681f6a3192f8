"""Runs one contestant of `training.py` in its own process: JSON lines in on stdin, JSON lines out on stdout.

PyTorch and PaddlePaddle each bring their own thread pools and math libraries, so they never share a process.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from memory import status_mb

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset
from fairmot_dla34.errors import FairMOTError
from fairmot_dla34.weights import load_checkpoint, resolve_weights

BATCHES = 3  # different batches, used in turn
Step = Callable[[], object]
Answer = Callable[[dict[str, Any]], None]


def torch_step(spec: dict[str, Any]) -> tuple[Step, str]:
    """Return a function that trains one step as `train` does, and its description."""
    import torch

    from fairmot_dla34.architectures import find_architecture
    from fairmot_dla34.training.batches.source import BatchSource
    from fairmot_dla34.training.config import LossConfig
    from fairmot_dla34.training.losses.fairmot_loss import FairMOTLoss, LossCounts
    from fairmot_dla34.training.model import AveragedNetwork, Learner, TrainedModel
    from fairmot_dla34.training.network.fairmot import FairMOTNetwork
    from fairmot_dla34.training.optimizer import make_optimizer
    from fairmot_dla34.training.processes.joining import join_world
    from fairmot_dla34.training.stepping import Stepper

    torch.set_num_threads(spec["threads"])
    torch.set_flush_denormal(True)
    architecture = find_architecture("dla34")
    source = BatchSource(
        [Dataset.open(spec["data"])],
        input_size=InputSize.parse(spec["size"]),
        stride=architecture.stride,
        num_classes=1,
        batch_size=spec["batch_size"],
        seed=0,
        loss=LossConfig(),
    )
    with source.batches(0) as stream:
        batches = list(itertools.islice(stream, BATCHES))
    arrays = load_checkpoint(resolve_weights(spec["weights"])).arrays
    networks = [FairMOTNetwork(architecture, plain_neck=spec["plain_neck"]) for _ in range(2)]
    for network in networks:
        network.load_arrays(arrays)
    loss = FairMOTLoss(source.num_identities, networks[0].sizes.embedding_size)
    loss.initialise(torch.Generator().manual_seed(0))
    model = TrainedModel(networks[0], loss, spec["precision"]).train()
    world = join_world("cpu")
    learner = Learner(model, AveragedNetwork(networks[0], networks[1]), make_optimizer(model, world.device))
    stepper, numbers = Stepper(learner, world), itertools.count()

    def step() -> None:
        number = next(numbers)
        batch = batches[number % len(batches)]
        stepper.step(batch, LossCounts.of(batch.targets), rate=1e-4, step=number)

    return step, f"PyTorch {torch.__version__}, {spec['threads']} threads"


def paddle_step(spec: dict[str, Any], stack: ExitStack) -> tuple[Step, str]:
    """Return a function that trains one step as ``ppdet.engine.Trainer.train`` does, and its description.

    Of one thread, which is Paddle's default, and the threads asked for, the faster is used.
    """
    import paddle

    from fairmot_dla34.training.paddle_engine.configuration import RunSettings, make_configuration, write_configuration
    from fairmot_dla34.training.paddle_engine.data_folder import link_data
    from fairmot_dla34.training.paddle_engine.session import build_trainer, paddle_state
    from fairmot_dla34.weights import write_pdparams

    run = Path(tempfile.mkdtemp())
    size = spec["batch_size"]
    settings = RunSettings(InputSize.parse(spec["size"]), 30, size, 1e-4, seed=0, use_gpu=False, embedding_size=128)
    data = link_data([Dataset.open(spec["data"])], run / "data", size)
    start = run / "start.pdparams"
    write_pdparams(start, load_checkpoint(resolve_weights(spec["weights"])).arrays)
    configuration = run / "config.yml"
    write_configuration(configuration, make_configuration(settings, data, run, start))
    stack.enter_context(paddle_state(use_gpu=False, threads=spec["threads"]))
    trainer = build_trainer(configuration, data.images, seed=0)
    batches: Iterator[Any] = itertools.cycle(list(itertools.islice(iter(trainer.loader), BATCHES)))
    trainer.model.train()

    def step() -> None:
        loss = trainer.model(next(batches))["loss"]
        loss.backward()
        trainer.optimizer.step()
        trainer.lr.step()
        trainer.optimizer.clear_grad()
        float(loss)

    seconds = {}
    if spec["choose_threads"]:
        step()
        for threads in {1, spec["threads"]}:
            paddle.set_flags({"FLAGS_paddle_num_threads": threads})
            start_s = time.perf_counter()
            step()
            seconds[threads] = time.perf_counter() - start_s
    threads = min(seconds, key=seconds.__getitem__, default=spec["threads"])
    paddle.set_flags({"FLAGS_paddle_num_threads": threads})
    return step, f"PaddlePaddle {paddle.__version__}, {threads} thread{'s' if threads > 1 else ''}"


def serve(spec: dict[str, Any], answer: Answer) -> None:
    """Build the contestant, then answer requests until stdin ends."""
    with ExitStack() as stack:
        try:
            step, title = paddle_step(spec, stack) if spec["engine"] == "paddle" else torch_step(spec)
        except (FairMOTError, ImportError) as error:
            answer({"unavailable": str(error).splitlines()[0]})
            return
        answer({"runs on": title})
        for line in sys.stdin:
            steps = json.loads(line)["steps"]
            start = time.perf_counter()
            for _ in range(steps):
                step()
            answer({"seconds": (time.perf_counter() - start) / steps, "peak_mb": status_mb("VmHWM")})


def main() -> None:
    """Answer in JSON on the real stdout; the output of libraries goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    serve(json.loads(sys.argv[1]), lambda content: print(json.dumps(content), file=answers))


if __name__ == "__main__":
    main()
