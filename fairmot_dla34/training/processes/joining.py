"""Joining of the processes of a run, as ``torchrun`` describes them in environment variables."""

from __future__ import annotations

import os
import secrets
import time
from datetime import timedelta
from typing import Any

import torch
from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from ...errors import InvalidInputError, TrainingError
from ..device import choose_device
from .world import TIMEOUT, World, first_line

JOIN_TIMEOUT = timedelta(minutes=10)  # machines may start at different times
_PAUSE_S = 0.02


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
        store.set_timeout(JOIN_TIMEOUT)
        store = _meeting(store, rank, size)
    except (RuntimeError, ValueError) as error:
        raise _not_joined(rank, size, error) from error
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
    store = world.store
    try:
        if world.is_first:
            store.set("device", chosen.type)
        first = store.get("device").decode()
        if first != chosen.type:
            raise TrainingError(
                f"Process {world.rank} trains on {chosen.type} and process 0 on {first}; expected one kind of device. "
                "Check the drivers of the machines, or name the --device."
            )
        distributed.init_process_group(backend, store=store, rank=world.rank, world_size=world.size, timeout=TIMEOUT)
    except (RuntimeError, ValueError) as error:
        raise _not_joined(world.rank, world.size, error) from error
    return World(world.rank, world.size, chosen, world.restarts, world.local_size, store)


def _meeting(store: Any, rank: int, size: int) -> Any:
    """Return a part of the store that only the processes of this start use.

    After a restart, ``torchrun`` may give its processes the store of those before them, with their addresses in it
    (PyTorch 2.13), and machines may count restarts differently. So the first process answers each of the others by the
    random number that it left in the store, until all have confirmed the name of the common part.

    Raises:
        RuntimeError: A process did not come in time.
    """
    own = secrets.token_hex(8)
    store = PrefixStore("fairmot_dla34", store)
    if rank:
        store.set(f"hello/{rank}", own)
        name = store.get(f"welcome/{rank}/{own}").decode()
        store.set(f"{name}/{rank}", "")
        return PrefixStore(name, store)
    missing, end_s = set(range(1, size)), time.monotonic() + JOIN_TIMEOUT.total_seconds()
    while missing:
        for other in sorted(missing):
            if store.check([f"hello/{other}"]):
                store.set(f"welcome/{other}/{store.get(f'hello/{other}').decode()}", own)
        missing = {other for other in missing if not store.check([f"{own}/{other}"])}
        if missing and time.monotonic() > end_s:
            raise RuntimeError(f"no sign of process {min(missing)}")
        time.sleep(_PAUSE_S)
    return PrefixStore(own, store)


def _not_joined(rank: int, size: int, error: BaseException) -> TrainingError:
    return TrainingError(
        f"Process {rank} of {size} cannot join the others ({first_line(error)}); check that all were started, "
        "MASTER_ADDR, MASTER_PORT and firewalls."
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
