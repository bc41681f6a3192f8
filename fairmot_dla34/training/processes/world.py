"""The processes of a run: one, or those that ``torchrun`` starts on one machine or several."""

from __future__ import annotations

import contextlib
import inspect
import re
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed, nn

from ...console.signals import StopRequest
from ...errors import FairMOTError, TrainingError
from .launcher import mark_reported

TIMEOUT = timedelta(hours=2)  # the other processes wait while the first one validates
_REPORT_KEY = "reports"
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
        """True in the process that writes the files."""
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
        waits = isinstance(error, KeyboardInterrupt) and not self.is_first
        end_s = time.monotonic() + (_FIRST_REPORT_S if waits else 0.0)
        try:
            while time.monotonic() < end_s and not self.store.add(_REPORT_KEY, 0):
                time.sleep(_LONGEST_PAUSE_S)
            return bool(self.store.add(_REPORT_KEY, 1) > 1)
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


def is_lost_process(error: BaseException) -> bool:
    """Return whether PyTorch raised the error because the communication between processes failed."""
    return isinstance(error, RuntimeError) and any(word in str(error) for word in _COMMUNICATION)


def lost_process(world: World, error: BaseException) -> TrainingError:
    """Return the error to raise if the communication between processes fails."""
    return TrainingError(
        f"Process {world.rank} of {world.size} lost the connection to another one, which has ended or was killed "
        f"({first_line(error)}). The run stops; start it again with --resume."
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


def first_line(error: BaseException) -> str:
    """Return the first line of an error of PyTorch, for a message."""
    return re.sub(r"\[/[^]]*\] ", "", str(error).splitlines()[0])[:120]  # without the file names of PyTorch
