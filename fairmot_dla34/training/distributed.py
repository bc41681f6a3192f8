"""The processes of a run: one, or those that ``torchrun`` starts on one machine or several."""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.distributed.rendezvous import rendezvous

from ..console.signals import StopRequest
from ..errors import FairMOTError, InvalidInputError, TrainingError
from .device import choose_device
from .processes import mark_reported

TIMEOUT = timedelta(hours=2)  # the other processes wait while the first one validates
JOIN_TIMEOUT = timedelta(minutes=10)  # machines may start at different times
_REPORT_KEY, _DEVICE_KEY = "fairmot_dla34/reports", "fairmot_dla34/device"
_FIRST_REPORT_S = 10.0  # in which the first process saves the state
_LONGEST_PAUSE_S = 0.02  # between two looks at a communication in progress
_COMMUNICATION = ("gloo", "NCCL", "c10d", "onnection", "imed out", "imeout", "roken pipe", "socket")  # in messages


@dataclass(frozen=True, eq=False)
class World:
    """The processes of a run, seen from one of them.

    Attributes:
        rank: Number of this process, from 0; process 0 writes all files.
        size: Number of processes.
        device: Device of this process.
        restarts: How often ``torchrun`` has restarted the processes after one of them failed.
        local_size: Number of processes on this machine.
        store: ``torch.distributed.Store`` of all processes; None for one process.
    """

    rank: int
    size: int
    device: torch.device
    restarts: int = 0
    local_size: int = 1
    store: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def parallel(self, model: nn.Module) -> nn.parallel.DistributedDataParallel:
        """Return a module that averages the model's gradients over all processes; the first one's weights are copied.

        The statistics of norms are those of all processes already, so that they are not copied before each step.
        """
        wrapper = nn.parallel.DistributedDataParallel
        settings: dict[str, Any] = {"device_ids": [self.device] if self.device.type == "cuda" else None}
        renamed = "forward_sync_buffers"  # the name since PyTorch 2.13
        has_new_name = renamed in inspect.signature(wrapper).parameters
        settings[renamed if has_new_name else "broadcast_buffers"] = False
        return wrapper(model, **settings)

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of the sum of the losses over all processes."""
        with warnings.catch_warnings():
            # Of 1x1 kernels, whose gradients are copied in another order; nothing is lost.
            warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides", UserWarning)
            torch.autograd.backward(loss * self.size)  # DistributedDataParallel averages

    def sum(self, values: Tensor) -> Tensor:
        """Return the sums of a tensor over all processes; stop signals are handled while it waits for them."""
        if self.size > 1:
            with self._communication():
                work = distributed.all_reduce(values, async_op=True)
                pause_s = 0.0
                while not work.is_completed():
                    time.sleep(pause_s)
                    pause_s = min(pause_s + 1e-4, _LONGEST_PAUSE_S)
                work.wait()
        return values

    def from_first(self, value: Any) -> Any:
        """Return the first process's value in all processes; it is pickled."""
        values = [value]
        if self.size > 1:
            self._wait()
            with self._communication():
                distributed.broadcast_object_list(values, src=0, device=self.device)
        return values[0]

    def state_from_first(self, state: Any) -> Any:
        """Return the first process's state, with tensors in nested dicts and lists; they are copied one by one."""
        if self.size == 1:
            return state
        outline = self.from_first(_mapped(state, lambda tensor: tensor.to("meta")) if self.is_first else None)

        def copied(tensor: Tensor) -> Tensor:
            shared = torch.empty_like(tensor, device=self.device) if tensor.is_meta else tensor.to(self.device)
            distributed.broadcast(shared, src=0)
            return shared.cpu()

        with self._communication():
            return _mapped(state if self.is_first else outline, copied)

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, by rank; they are pickled."""
        values = [value]
        if self.size > 1:
            values = [None] * self.size
            self._wait()
            with self._communication():
                distributed.all_gather_object(values, value)
        return values

    @contextlib.contextmanager
    def single_report(self) -> Iterator[None]:
        """Mark an error or a stop request that leaves the context, unless this process is the first to fail."""
        try:
            yield
        except (FairMOTError, KeyboardInterrupt) as error:
            if self.size > 1 and self._is_reported(error):
                mark_reported(error)
            if self.size > 1 and isinstance(error, StopRequest) and error.number == signal.SIGTERM:
                error.outcome = f"torchrun sends it if another process has failed; {error.outcome}"
            raise

    def close(self) -> None:
        """Leave the group of processes."""
        if self.size > 1 and distributed.is_initialized():
            distributed.destroy_process_group()

    def _is_reported(self, error: BaseException) -> bool:
        """Return whether another process reports the end of the run; a stop request is left to the first process."""
        key, waits = f"{_REPORT_KEY}/{self.restarts}", isinstance(error, KeyboardInterrupt) and not self.is_first
        end_s = time.monotonic() + (_FIRST_REPORT_S if waits else 0.0)
        try:
            while time.monotonic() < end_s and not self.store.add(key, 0):
                time.sleep(_LONGEST_PAUSE_S)
            return bool(self.store.add(key, 1) > 1)
        except RuntimeError:  # the process that keeps the store has ended
            return False

    def _wait(self) -> None:
        """Wait for the slowest process; stop signals are handled meanwhile."""
        self.sum(torch.zeros(1, device=self.device))

    @contextlib.contextmanager
    def _communication(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if not is_lost_process(error):
                raise
            raise lost_process(self, error) from error


def join_world(device: str) -> World:
    """Join the processes that ``torchrun`` started; without it, return a world of one process.

    Args:
        device: Name of the device; see `choose_device`.

    Raises:
        InvalidInputError: The variables that ``torchrun`` sets are incomplete, or the device has a number of its own.
        TrainingError: The other processes cannot be reached, or their devices are of another kind.
        DeviceUnavailableError: There is no GPU for this process.
    """
    size, restarts = _variable("WORLD_SIZE", 1), _variable("TORCHELASTIC_RESTART_COUNT", 0)
    if size == 1:
        return World(0, 1, choose_device(device), restarts)
    if size < 1:
        raise InvalidInputError(f"The environment variable WORLD_SIZE is {size}; expected the number of processes.")
    rank, local_rank, local_size = _variable("RANK"), _variable("LOCAL_RANK"), _variable("LOCAL_WORLD_SIZE", 1)
    if not 0 <= rank < size:
        raise InvalidInputError(
            f"The environment variable RANK is {rank} with WORLD_SIZE {size}; expected a number from 0 to {size - 1}."
        )
    try:
        store, _, _ = next(rendezvous("env://", rank, size, timeout=JOIN_TIMEOUT))
    except (RuntimeError, ValueError) as error:
        raise _not_joined(rank, size, error) from error
    store.set_timeout(JOIN_TIMEOUT)
    world = World(rank, size, torch.device("cpu"), restarts, local_size, store)
    with world.single_report():
        return _with_device(world, device, local_rank)


def _with_device(world: World, device: str, local_rank: int) -> World:
    """Return the world with the device of this process and a process group that fits it."""
    if ":" in device:
        raise InvalidInputError(
            f"device is {device} for {world.size} processes; expected cuda, so that each has its own GPU."
        )
    chosen = choose_device(device, local_rank)
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    store, key = world.store, f"{_DEVICE_KEY}/{world.restarts}"
    try:
        if world.is_first:
            store.set(key, chosen.type)
        first = store.get(key).decode()
        if first != chosen.type:
            raise TrainingError(
                f"Process {world.rank} trains on {chosen.type} and process 0 on {first}; expected one kind of device. "
                "Check the drivers of the machines, or name the --device."
            )
        distributed.init_process_group(backend, store=store, rank=world.rank, world_size=world.size, timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        raise _not_joined(world.rank, world.size, error) from error
    return World(world.rank, world.size, chosen, world.restarts, world.local_size, store)


def is_lost_process(error: BaseException) -> bool:
    """Return whether PyTorch raised the error because the communication between processes failed."""
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _COMMUNICATION)


def lost_process(world: World, error: BaseException) -> TrainingError:
    """Return the error to raise if the communication between processes fails."""
    return TrainingError(
        f"Process {world.rank} of {world.size} lost the connection to another one, which has ended or was killed "
        f"({_first_line(error)}). The run stops; start it again with --resume."
    )


def _not_joined(rank: int, size: int, error: BaseException) -> TrainingError:
    return TrainingError(
        f"Process {rank} of {size} cannot join the others ({_first_line(error)}); check that all were started, "
        "MASTER_ADDR, MASTER_PORT and firewalls."
    )


def _mapped(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    """Return nested dicts and lists with a function's results in place of the tensors."""
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, dict):
        return {name: _mapped(part, function) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_mapped(part, function) for part in value)
    return value


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:120]


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
