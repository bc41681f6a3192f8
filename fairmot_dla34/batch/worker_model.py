"""The model of a worker process: loaded at its first job, kept for the next ones, and checked against the batch."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import __version__
from ..errors import EngineError
from ..tracking.model import FairMOT
from ..tracking.options import ModelOptions
from ..tracking.shared_model import SharedModel


@dataclass(frozen=True)
class ModelFacts:
    """Facts about a loaded model that the results of a batch depend on, of plain picklable types.

    Attributes:
        precision: Precision in which the network runs.
        backend: Name, version, device and precision of the backend, as it is logged.
        weights: Digest of the checkpoint.
        network: Key of the network; see `Network.key`.
        facts: All facts; see `SharedModel.facts`.
        version: Version of this package.
        host: Machine on which the model was loaded.
    """

    precision: str
    backend: str
    weights: str
    network: str
    facts: Mapping[str, Any]
    version: str
    host: str


class _ModelCache:
    """The one model of this process."""

    def __init__(self) -> None:
        self._options: ModelOptions | None = None
        self._shared: SharedModel | None = None

    def get(self, options: ModelOptions) -> SharedModel:
        """Return the loaded model of options; another one that was loaded before is closed.

        A model that was loaded with ``auto`` also serves the precision that it got.
        """
        if self._shared is not None and self._options is not None and _is_same(self._options, options):
            return self._shared
        self.close()
        shared = SharedModel(options)
        loaded = shared.load()
        self._shared, self._options = shared, replace(options, precision=loaded.backend.info.precision)
        return shared

    def close(self) -> None:
        if self._shared is not None:
            self._shared.close()
        self._shared = self._options = None


# State of the process, as a worker's only purpose is to hold this model: loading takes seconds, and jobs are many.
_CACHE = _ModelCache()


def worker_model(options: ModelOptions, network: str = "") -> FairMOT:
    """Return the model of this process.

    Args:
        options: Settings of the model.
        network: Key of the network that the batch expects; "": any.

    Raises:
        EngineError: The network or its precision is not that of the batch, as on a machine with other weights.
        FairMOTError: The model cannot be loaded; one of the kinds listed for `FairMOT`.
    """
    shared = _CACHE.get(options)
    model = shared.load()
    found = {"network": str(shared.facts()["network"]), "precision": model.backend.info.precision}
    expected = {"network": network or found["network"], "precision": options.precision}
    if options.precision == "auto":
        expected["precision"] = found["precision"]
    for name, value in expected.items():
        if found[name] != value:
            raise EngineError(
                f"{socket.gethostname()} has loaded {name} {found[name]}; expected {value}, as the other workers:"
                " use the same weights and version on each machine, and a --precision that all of them have."
            )
    return model


def probe_model(options: ModelOptions) -> ModelFacts:
    """Load the model in this process and return the facts that the results of a batch depend on.

    Raises:
        FairMOTError: The model cannot be loaded; one of the kinds listed for `FairMOT`.
    """
    shared = _CACHE.get(options)
    info = shared.load().backend.info
    facts = dict(shared.facts())
    return ModelFacts(
        precision=info.precision,
        backend=str(info),
        weights=shared.weights_digest(),
        network=str(facts["network"]),
        facts=facts,
        version=__version__,
        host=socket.gethostname(),
    )


def close_worker_model() -> None:
    """Close the model of this process, if one is loaded; for programs that run jobs in their own process."""
    _CACHE.close()


def _is_same(loaded: ModelOptions, asked: ModelOptions) -> bool:
    precision = loaded.precision if asked.precision == "auto" and loaded.precision != "int8" else asked.precision
    return replace(loaded, progress=True) == replace(asked, precision=precision, progress=True)
