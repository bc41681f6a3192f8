"""A training run: from prepared datasets to weights that `track` runs."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import torch

from ..architectures import Checkpoint
from ..backends.cpus import usable_cpus
from ..console.progress import duration_text
from ..errors import FairMOTError, InvalidInputError, OutOfMemoryError
from .batches.source import BatchSource
from .config import TrainingConfig
from .device import choose_precision
from .distillation.guide import find_teacher
from .distillation.teacher import Teacher
from .distillation.unlabelled import with_frames
from .ending import saved_on_error
from .folder import BEST_FILE, LAST_FILE, STATE_FILE, claimed_folder
from .loop import NoActions, TrainingLoop
from .losses.fairmot_loss import FairMOTLoss
from .memory.allocation import lacks_memory, reason
from .memory.check import require_training_memory
from .model import AveragedNetwork, Learner, TrainedModel
from .network.fairmot import FairMOTNetwork
from .optimizer import make_optimizer
from .plan import make_plan
from .processes.joining import join_world
from .processes.restarts import is_run_of_this_job, record_job
from .processes.world import World
from .records.card_facts import CardFacts, package_versions
from .start import DEFAULT_ARCHITECTURE, start_network
from .state import Progress, missing_state, read_state, restore_state
from .stepping import Stepper
from .summary import TrainingSummary
from .validation.validator import Validator
from .writer import START, RunWriter

logger = logging.getLogger(__name__)


def run_training(
    config: TrainingConfig, make_source: Callable[..., BatchSource] = BatchSource, teacher: Teacher | None = None
) -> TrainingSummary:
    """Train a network.

    In processes started by ``torchrun``, each calls this function, and the first one writes the files.

    Args:
        config: Settings.
        make_source: Makes the source of the batches; called with the arguments of `BatchSource`.
        teacher: Frozen network whose outputs are learned; None: the one that the settings name, if any.

    Returns:
        The result, equal in all processes.

    Raises:
        DatasetError: A dataset is not prepared, is damaged or empty, or training and validation share images.
        WeightsError: The start weights cannot be used.
        InvalidInputError: Settings do not fit each other, the data or the weights.
        DeviceUnavailableError: The device cannot be used.
        OutputError: The folder of the run cannot be written or is in use.
        ResumeError: The run cannot be resumed.
        TrainingError: The loss is not finite, or another process has ended.
        OutOfMemoryError: A step needs more memory than there is.
        KeyboardInterrupt: A signal asked the run to stop; its state is saved.
    """
    world = join_world(config.device)
    try:
        own_cpus = max(1, usable_cpus() // world.local_size)
        with world.single_report(), _threads(config.threads or own_cpus) as threads:
            return _Run(config, world, threads, make_source, teacher).run()
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, FairMOTError) or not lacks_memory(error):
            raise
        raise OutOfMemoryError(
            f"The run needs more memory than {world.device} has; use a smaller --batch-size or --input-size, or a "
            f"machine with more memory. ({reason(error)})"
        ) from error
    finally:
        world.close()


@contextlib.contextmanager
def _threads(threads: int) -> Iterator[int]:
    """Set the number of PyTorch's threads and let it round denormal numbers to 0; restore both, which are global."""
    earlier, flushed = torch.get_num_threads(), sys.float_info.min / 2 == 0
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # denormal numbers are many times slower on a CPU
    try:
        yield threads
    finally:
        torch.set_num_threads(earlier)
        torch.set_flush_denormal(flushed)


class _Run:
    """A run: its parts are made and checked in `__init__`, before anything is written."""

    def __init__(
        self,
        config: TrainingConfig,
        world: World,
        threads: int,
        make_source: Callable[..., BatchSource],
        teacher: Teacher | None,
    ) -> None:
        found = find_teacher(config, teacher, choose_precision(config.precision, world.device))
        config = with_frames(config, world, found and found[0])
        self._config, self._world, self._threads = config, world, threads
        self._plan, checkpoint = make_plan(config, world, found)
        plan = self._plan
        other_size = plan.guide.other_size if plan.guide else None
        self._source = make_source(
            plan.data,
            input_size=plan.input_size,
            stride=plan.architecture.stride,
            num_classes=len(plan.classes),
            batch_size=plan.batch_size,
            seed=config.seed,
            loss=config.loss,
            rank=world.rank,
            world_size=world.size,
            threads=threads,
            **({} if other_size is None else {"teacher_size": other_size}),
        )
        if world.device.type == "cpu" and plan.architecture.name == DEFAULT_ARCHITECTURE:  # the one measured
            require_training_memory(
                plan.input_size,
                plan.batch_size // world.size,
                plain_neck=config.plain_neck,
                precision=plan.precision,
                num_identities=0 if config.loss.contrastive else self._source.num_identities,
                multiple=2 if config.loss.contrastive else 1,
                teacher_size=plan.guide.view.teacher if plan.guide else None,
            )
        self._learner = self._make_learner(checkpoint)
        self._length = plan.length(self._source.steps_per_epoch)

    def run(self) -> TrainingSummary:
        """Train, in a folder that no other run uses."""
        config, world = self._config, self._world
        self._check_agreement()
        restarted = world.restarts > 0 and world.is_first and is_run_of_this_job(config.output_dir)
        resume = config.resume or (restarted and (config.output_dir / STATE_FILE).is_file())
        with contextlib.ExitStack() as stack:
            if world.is_first:
                if resume and not (config.output_dir / STATE_FILE).is_file():
                    raise missing_state(config.output_dir)
                overwrite = config.overwrite or restarted
                stack.enter_context(claimed_folder(config.output_dir, resume=resume, overwrite=overwrite))
                record_job(config.output_dir)
            progress = self._restored(resume=bool(world.from_first(resume)))
            writer = stack.enter_context(self._make_writer(progress)) if world.is_first else None
            stepper = Stepper(self._learner, world)
            with saved_on_error(writer, stepper, progress):
                self._train(writer, stepper, progress)
        return world.from_first(self._summary(progress))  # type: ignore[no-any-return]  # unpickled

    def _train(self, writer: RunWriter | None, stepper: Stepper, progress: Progress) -> None:
        """Train from a position of the run to its end, with a validation of the start weights before the first step."""
        if writer and self._plan.start_digest and not progress.step and START not in progress.scores:
            writer.validate(progress, START)
        loop = TrainingLoop(
            self._source,
            stepper,
            length=self._length,
            rate=self._plan.rate,
            world=self._world,
            actions=writer or NoActions(),
            val_every=self._config.val_every,
            teach=self._plan.guide.teach if self._plan.guide else None,
        )
        if self._length.share(progress.step, progress.elapsed_s) < 1:
            loop.run(progress)
        if writer:
            writer.finish(progress)

    def _check_agreement(self) -> None:
        """Check that the data, the settings and the versions are those of the first process."""
        config = self._config
        length = {"epochs": str(self._length.epochs), "minutes": str(config.minutes)}
        own = {**self._plan.settings(), **length, **package_versions()}
        for name, expected in self._world.from_first(own).items():
            if own.get(name) != expected:
                raise InvalidInputError(
                    f"Process {self._world.rank} has {name} {own.get(name)} and process 0 has {expected}; expected the "
                    "same command, data and versions on all machines."
                )

    def _make_learner(self, checkpoint: Checkpoint | None) -> Learner:
        """Return the model with the numbers it starts from, its average and its optimiser."""
        config, plan, source, device = self._config, self._plan, self._source, self._world.device
        has_embeddings = plan.guide is not None and plan.guide.shape.embedding_size > 0
        parts = {"plain_neck": config.plain_neck, "identities": source.num_identities > 0 or has_embeddings}
        network = start_network(plan.architecture, checkpoint, num_classes=len(plan.classes), seed=config.seed, **parts)
        network.freeze(plan.freeze)
        network.sync_norms()
        losses = config.loss if plan.has_labels else replace(config.loss, fixed_weights=True)  # no weights to learn
        loss = FairMOTLoss(source.num_identities, network.sizes.embedding_size, losses, source.sequence_of_identity)
        loss.initialise(torch.Generator().manual_seed(config.seed))
        distillation = None
        if plan.guide is not None:
            distillation = plan.guide.distillation(
                plan.distillation, network.heads, network.sizes, plan.classes, has_labels=plan.has_labels
            )
            distillation.initialise(torch.Generator().manual_seed(config.seed))
        model = TrainedModel(network, loss, plan.precision, distillation, has_labels=plan.has_labels).to(device)
        average = FairMOTNetwork(plan.architecture, network.sizes, **parts).to(device)
        return Learner(model, AveragedNetwork(network, average), make_optimizer(model, device))

    def _restored(self, *, resume: bool) -> Progress:
        """Return the position to train from: that of the saved state, which all processes get, or the start."""
        length = str(self._length)
        if not resume:
            if self._plan.start_digest and self._learner.model.loss.classifier is not None and self._world.is_first:
                logger.info("The identity classifier is made anew, for %d identities", self._source.num_identities)
            return Progress(length=length)
        first = self._world.is_first
        state = read_state(self._config.output_dir, self._plan.settings()) if first else None
        state = self._world.state_from_first(state)
        progress = restore_state(state, self._learner)
        if first and self._length.share(progress.step, progress.elapsed_s) >= 1:
            done = f"{progress.step} steps in {duration_text(progress.elapsed_s)}"
            logger.info("The run is complete: %s. Ask for more than %s to continue it", done, length)
        elif first and progress.length != length:
            logger.info("The run continues to %s instead of %s; its learning rate follows", length, progress.length)
        progress.length = length
        return progress

    def _make_writer(self, progress: Progress) -> RunWriter:
        config, plan = self._config, self._plan
        validator = None
        if plan.validation:
            validator = Validator(
                plan.validation,
                plan.part,
                plan.input_size,
                device=self._world.device,
                threads=self._threads,
                output_dir=config.output_dir,
                progress=True,
            )
        return RunWriter(
            config.output_dir,
            self._learner,
            length=self._length,
            settings=plan.settings(),
            input_size=plan.input_size,
            validator=validator,
            best=config.best,
            describe=self._card_facts,
            progress=progress,
        )

    def _card_facts(self, progress: Progress, why_missing: Mapping[str, str]) -> CardFacts:
        return self._plan.card_facts(
            progress,
            why_missing,
            steps_per_epoch=self._source.steps_per_epoch,
            world=self._world,
            threads=self._threads,
        )

    def _summary(self, progress: Progress) -> TrainingSummary:
        folder = self._config.output_dir
        return TrainingSummary(
            best=folder / BEST_FILE,
            last=folder / LAST_FILE,
            steps=progress.step,
            epochs=progress.step / self._source.steps_per_epoch,
            seconds=progress.elapsed_s,
            chosen_by=progress.best_figure,
            scores={name: dict(scores) for name, scores in progress.scores.items()},
        )
