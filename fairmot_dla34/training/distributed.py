"""The processes of a run: one, or those that ``torchrun`` starts on one machine or several."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from ..errors import InvalidInputError, TrainingError
from .device import choose_device

TIMEOUT = timedelta(hours=2)  # the other processes wait while the first one validates


@dataclass(frozen=True)
class World:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: Number of this process, from 0; process 0 writes all files.
        size: Number of processes.
        device: Device of this process.
        restarts: How often ``torchrun`` has restarted the processes after one of them failed.
    """

    rank: int
    size: int
    device: torch.device
    restarts: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """Return the sums of a tensor over all processes."""
        if self.size > 1:
            try:
                distributed.all_reduce(values)
            except RuntimeError as error:
                raise lost_process(self, error) from error
        return values

    def from_first(self, value: Any) -> Any:
        """Return the first process's value in all processes; it is pickled."""
        values = [value]
        if self.size > 1:
            try:
                distributed.broadcast_object_list(values, src=0)
            except RuntimeError as error:
                raise lost_process(self, error) from error
        return values[0]

    def close(self) -> None:
        """Leave the group of processes."""
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()


def join_world(device: str) -> World:
    """Join the processes that ``torchrun`` started; without it, return a world of one process.

    Args:
        device: Name of the device; see `choose_device`.

    Raises:
        InvalidInputError: The variables that ``torchrun`` sets are incomplete, or the device has a number of its own.
        TrainingError: The other processes cannot be reached.
        DeviceUnavailableError: There is no GPU for this process.
    """
    size = _variable("WORLD_SIZE", 1)
    if size == 1:
        return World(0, 1, choose_device(device), _variable("TORCHELASTIC_RESTART_COUNT", 0))
    rank, local_rank = _variable("RANK"), _variable("LOCAL_RANK")
    if ":" in device:
        raise InvalidInputError(
            f"device is {device} for {size} processes; expected cuda, so that each has its own GPU."
        )
    chosen = choose_device(device, local_rank)
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    try:
        distributed.init_process_group(backend, timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"Process {rank} of {size} cannot join the others ({error}); check MASTER_ADDR, MASTER_PORT and firewalls."
        ) from error
    return World(rank, size, chosen, _variable("TORCHELASTIC_RESTART_COUNT", 0))


def lost_process(world: World, error: BaseException) -> TrainingError:
    """Return the error to raise if the communication between processes fails."""
    return TrainingError(
        f"Process {world.rank} of {world.size} lost the connection to another one, which has ended or was killed "
        f"({str(error).splitlines()[0]}). The run stops; start it again with --resume."
    )


def _variable(name: str, default: int | None = None) -> int:
    value = os.environ.get(name)
    if value is None and default is not None:
        return default
    try:
        return int(value or "")
    except ValueError as error:
        raise InvalidInputError(
            f"The environment variable {name} is {value!r}; expected the number that torchrun sets. Start several "
            "processes with torchrun -m fairmot_dla34 train."
        ) from error
