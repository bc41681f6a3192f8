"""`RayEngine`: runs items as plain tasks of Ray, on this machine or on a cluster."""

from __future__ import annotations

import itertools
import os
import pickle
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..backends.cpus import usable_cpus
from ..batch.engine import MOST_RETRIES
from ..closing import ClosedOnExit
from ..config import is_whole, shown
from ..errors import EngineError, InvalidInputError
from ..messages import plain_line
from .connection import check_address, connect, import_ray

if TYPE_CHECKING:
    from ..batch.worker_model import ModelFacts
    from ..tracking.options import ModelOptions

_POLL_S = 0.5  # longest time without a look at signals of this process
_CANCEL_S = 5.0  # for tasks to end after Ctrl-C, before their processes are killed
_AHEAD = 2  # tasks in Ray's queue for each one that runs: an autoscaler adds nodes for tasks that wait


class RayEngine(ClosedOnExit):
    """Plain tasks of Ray; see `Engine`. A task whose worker or node is lost is run again by Ray.

    Args:
        address: ``ray://HOST:PORT``, ``HOST:PORT``, ``auto`` for the cluster that runs on this machine, or None to
            start one here, which `close` ends. A process that uses Ray already stays connected as it is.
        threads: Cores of each task.
        workers: Tasks that run at the same time; None: as many as there are cores for.

    Raises:
        InvalidInputError: An argument is out of its range.
    """

    def __init__(self, address: str | None = None, threads: int = 1, workers: int | None = None) -> None:
        for name, value in (("threads", threads), ("workers", 1 if workers is None else workers)):
            if not is_whole(value, 1, 1024):
                raise InvalidInputError(f"{name} is {shown(value)}; expected a whole number from 1 to 1024.")
        self.address, self.threads, self.workers = check_address(address), threads, workers
        self._ray: ModuleType | None = None
        self._disconnects = False

    def check(self) -> None:
        """Connect to the cluster, and check that its nodes fit this process.

        Raises:
            EngineError: The cluster cannot be reached, or its nodes do not fit; see `check_nodes`.
            BackendUnavailableError: Ray is not installed.
        """
        from .nodes import check_nodes

        check_nodes(self.connect(), self.threads)

    def connect(self) -> ModuleType:
        """Return the package ray, connected to the cluster.

        Raises:
            EngineError: The cluster cannot be reached, or has no node with enough cores.
            BackendUnavailableError: Ray is not installed.
        """
        if self._ray is None:
            ray = import_ray()
            if not ray.is_initialized():
                connect(ray, self.address, self._own_cpus())
                self._disconnects = True
            self._ray = ray
        return self._ray

    def settler(self, folder: Path | None) -> Callable[[ModelOptions], tuple[ModelOptions, ModelFacts]]:
        """Return the function for `Batch` that prepares all nodes: the folder of the results, the model, its precision.

        Args:
            folder: Folder of the results, which all nodes share; None: the results are in a store.
        """
        from .nodes import check_folder, settle_model

        def settle(options: ModelOptions) -> tuple[ModelOptions, ModelFacts]:
            ray = self.connect()
            if folder is not None:
                check_folder(ray, folder, self.threads)
            return settle_model(ray, options, self.threads)

        return settle

    def run(
        self, function: Callable[[Any], Any], items: Sequence[Any], *, on_start: Callable[[int], None] | None = None
    ) -> Iterator[tuple[int, Any | BaseException]]:
        """Run the function on every item; see `Engine.run`.

        Items are given to Ray a few at a time. ``on_start`` is called when an item is given to Ray.

        Raises:
            EngineError: The cluster cannot be reached any more.
        """
        ray = self.connect()
        task = ray.remote(_run_item).options(num_cpus=self.threads, max_retries=MOST_RETRIES, name="fairmot_dla34")
        setting = (pickle.dumps(function), __version__, str(Path.cwd()))
        waiting = iter(enumerate(items))
        running: dict[Any, int] = {}
        try:
            while True:
                free = max(0, self._most_running(ray) - len(running))
                for index, item in itertools.islice(waiting, free):
                    running[task.remote(setting, item)] = index
                    if on_start is not None:
                        on_start(index)
                if not running:
                    return
                for done in ray.wait(list(running), num_returns=1, timeout=_POLL_S)[0]:
                    yield running.pop(done), _value(ray, done)
        finally:  # the caller may have stopped reading
            _cancel(ray, list(running))

    def close(self) -> None:
        """End the tasks in progress and the connection, and the cluster if this engine started it."""
        ray, self._ray = self._ray, None
        if ray is not None and self._disconnects:
            self._disconnects = False
            ray.shutdown()

    def _own_cpus(self) -> int:
        """Return the cores of a cluster that is started here: Ray would count those that this process may not use."""
        return usable_cpus() if self.workers is None else self.workers * self.threads

    def _most_running(self, ray: ModuleType) -> int:
        """Return how many tasks Ray gets at a time, which grows with the cluster."""
        if self.workers is not None:
            return self.workers
        return _AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)) // self.threads)


def _run_item(setting: tuple[bytes, str, str], item: Any) -> tuple[bool, Any]:
    """Run one item in a worker of Ray, and return success with the value or the exception."""
    pickled, version, folder = setting
    if version != __version__:  # a node that joined after the check
        return False, EngineError(
            f"Node {socket.gethostname()} has fairmot_dla34 {__version__}, and this run was started with {version};"
            " expected one version: install the same one on every node."
        )
    try:
        os.chdir(folder)  # paths of items may be relative
    except OSError as error:
        return False, EngineError(
            f"Node {socket.gethostname()} cannot enter {folder} ({error.strerror}), in which this run was started;"
            " expected a folder that all nodes have: start it in one, such as /."
        )
    try:
        return True, pickle.loads(pickled)(item)  # noqa: S301 (from the process that uses this engine)
    except Exception as error:  # noqa: BLE001 (raised again in that process)
        try:
            pickle.loads(pickle.dumps(error))  # noqa: S301 (made here)
        except Exception:  # noqa: BLE001 (an exception may hold anything)
            return False, EngineError(f"A task failed: {type(error).__name__}: {error}")
        return False, error


def _value(ray: ModuleType, done: Any) -> Any | BaseException:
    """Return what became of a task that Ray has ended."""
    lost = (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError)
    try:
        return ray.get(done)[1]
    except lost as error:
        return EngineError(
            f"The worker or its node was lost each of the {MOST_RETRIES + 1} times that this item was run"
            f" ({type(error).__name__}); expected that it ends by itself: if memory is short, use fewer workers or a"
            " smaller input size."
        )
    except ray.exceptions.RayError as error:
        reason = plain_line(str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__)
        return EngineError(f"Ray could not run this item ({reason}); expected that it ends by itself: run it again.")


def _cancel(ray: ModuleType, tasks: list[Any]) -> None:
    """End tasks: first by an interruption, so that they close their files, then by the end of their processes."""
    if not ray.is_initialized():
        return
    for force, wait_s in ((False, _CANCEL_S), (True, 1.0)):
        for task in tasks:
            ray.cancel(task, force=force)
        if tasks:
            tasks = ray.wait(tasks, num_returns=len(tasks), timeout=wait_s)[1]
