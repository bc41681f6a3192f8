"""Checks the nodes of a Ray cluster before work starts: versions, folders, weights, and one precision for all."""

from __future__ import annotations

import logging
import platform
import socket
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import __version__
from ..batch.worker_model import ModelFacts, probe_model
from ..errors import EngineError
from ..files import output_error
from ..messages import plain_line
from ..tracking.options import ModelOptions

logger = logging.getLogger(__name__)

_START_S = 120.0  # for a node to start a worker process
_LOAD_S = 600.0  # for a node to download the weights and load the network


@dataclass(frozen=True)
class NodeFacts:
    """Software of one node.

    Attributes:
        node: Its host and network address.
        package: Version of this package; "" if it is not installed.
        python: Version of Python.
        ray: Version of Ray.
    """

    node: str
    package: str
    python: str
    ray: str


def check_nodes(ray: ModuleType, threads: int) -> None:
    """Check that every node has the software of this process.

    Args:
        ray: The package ray, connected.
        threads: Cores of each task.

    Raises:
        EngineError: No node has so many cores, a node does not answer, or its versions differ.
    """

    def software() -> tuple[str, str, str]:  # sent to the nodes as code: an older package may lack this module
        import importlib
        import platform

        import ray

        try:
            package = str(importlib.import_module("fairmot_dla34").__version__)
        except ImportError:
            package = ""
        return package, platform.python_version(), ray.__version__

    answers = on_each_node(ray, software, threads=threads, seconds=_START_S)
    own = NodeFacts(f"this process on {socket.gethostname()}", __version__, platform.python_version(), ray.__version__)
    compare_nodes(own, [NodeFacts(node, *answer) for node, answer in answers.items()])


def compare_nodes(own: NodeFacts, nodes: Sequence[NodeFacts]) -> None:
    """Check that nodes have the versions of this process.

    Args:
        own: Facts about this process.
        nodes: Facts about the nodes.

    Raises:
        EngineError: A version differs; the message has both versions and the nodes.
    """
    for name, shown in (("package", "fairmot_dla34"), ("ray", "Ray"), ("python", "Python")):
        expected = _release(getattr(own, name)) if name == "python" else getattr(own, name)
        others: dict[str, list[str]] = defaultdict(list)
        for facts in nodes:
            found = getattr(facts, name)
            if (_release(found) if name == "python" else found) != expected:
                others[found].append(facts.node)
        if others:
            found, where = next(iter(others.items()))
            more = f" and {len(where) - 3} more" if len(where) > 3 else ""
            has = f"{shown} {found}" if found else f"no {shown}"
            raise EngineError(
                f"{', '.join(where[:3])}{more}: {has}, but {own.node} has {shown} {getattr(own, name)}; expected the"
                " same version on every node: install it there."
            )


def settle_model(ray: ModuleType, options: ModelOptions, threads: int) -> tuple[ModelOptions, ModelFacts]:
    """Decide the precision for all nodes, and check that each one loads the same network.

    With ``auto``, it is the precision that every node chooses; if they differ, fp32.

    Args:
        ray: The package ray, connected.
        options: Settings of the model.
        threads: Cores of each task.

    Returns:
        The settings with the precision, and the facts about the model.

    Raises:
        EngineError: A node cannot load the network, or loads another one.
    """
    facts = _probe(ray, options, threads)
    precisions = {found.precision for found in facts.values()}
    if len(precisions) > 1:
        example = {found.precision: node for node, found in facts.items()}
        shown = ", ".join(f"{node} {precision}" for precision, node in sorted(example.items()))
        logger.info("Nodes choose different precisions (%s): all use fp32.", shown)
        options = replace(options, precision="fp32")
        facts = _probe(ray, options, threads)
    else:
        options = replace(options, precision=precisions.pop())
    first_node, first = next(iter(facts.items()))
    for node, found in facts.items():
        for name in ("precision", "network", "weights", "version"):
            if getattr(found, name) != getattr(first, name):
                raise EngineError(
                    f"{first_node} and {node} have different {name}: {getattr(first, name)} and {getattr(found, name)};"
                    " expected equal ones: use the same weights and the same version on every node."
                )
    return options, first


def check_folder(ray: ModuleType, folder: Path, threads: int) -> None:
    """Check that every node can write into a folder that this process sees too.

    Raises:
        EngineError: A node has no such folder, has another one of that name, or may not write into it.
        OutputError: This process cannot write into it.
    """
    marker = folder.absolute() / f".{uuid.uuid4().hex}.part"

    def problem() -> str:
        mine = marker.with_name(f"{marker.stem}.{uuid.uuid4().hex}.part")
        try:
            if not marker.is_file():
                return "is not there, or is another one"
            mine.touch()
            mine.unlink()
        except OSError as error:
            return f"cannot be written ({error.strerror})"
        return ""

    try:
        folder.mkdir(parents=True, exist_ok=True)
        marker.touch()
    except OSError as error:
        raise output_error(marker, error) from error
    try:
        answers = on_each_node(ray, problem, threads=threads, seconds=_START_S)
    finally:
        marker.unlink(missing_ok=True)
    for node, answer in answers.items():
        if answer:
            raise EngineError(
                f"{folder} {answer} on {node}; expected a folder that all nodes share, such as one on NFS, or a URL"
                " such as s3://bucket/folder."
            )


def on_each_node(ray: ModuleType, function: Callable[[], Any], *, threads: int, seconds: float) -> dict[str, Any]:
    """Run a function once on every node that has enough cores, and return its values by node.

    Args:
        ray: The package ray, connected.
        function: Picklable function.
        threads: Cores that a node must have.
        seconds: Longest wait.

    Raises:
        EngineError: No node has so many cores, one does not answer in time, or the function fails on one.
    """
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= threads]
    if not nodes:
        raise EngineError(
            f"No node of the Ray cluster has {threads} cores; expected at least one: use fewer threads, or add nodes."
        )
    strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
    task = ray.remote(function)
    running = {
        task.options(num_cpus=0, max_retries=1, scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(): (
            f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
        )
        for node in nodes
    }
    late = ray.wait(list(running), num_returns=len(running), timeout=seconds)[1]
    if late:
        raise EngineError(
            f"{running[late[0]]} did not answer in {seconds:g} s; expected that every node starts tasks: check it with"
            " ray status."
        )
    names = _unique(list(running.values()), [node["NodeID"] for node in nodes])
    return {name: _answer(ray, task, name) for task, name in zip(running, names, strict=True)}


def _answer(ray: ModuleType, task: Any, node: str) -> Any:
    try:
        return ray.get(task)
    except Exception as error:
        cause = getattr(error, "cause", None) or error
        text = str(cause).strip().splitlines() or [type(cause).__name__]
        raise EngineError(f"{node} cannot be used: {plain_line(text[-1])}") from error


def _probe(ray: ModuleType, options: ModelOptions, threads: int) -> dict[str, ModelFacts]:
    quiet = replace(options, progress=False)
    return on_each_node(ray, lambda: probe_model(quiet), threads=threads, seconds=_LOAD_S)


def _unique(names: list[str], ids: list[str]) -> list[str]:
    """Return names of nodes, with the start of their ids if several nodes are on one host."""
    return [f"{name} {node[:8]}" if names.count(name) > 1 else name for name, node in zip(names, ids, strict=True)]


def _release(version: str) -> str:
    """Return major and minor version."""
    return ".".join(version.split(".")[:2])
