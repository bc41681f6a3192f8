"""The model of a command, loaded once for all of its sources, and the facts about it that results depend on."""

from __future__ import annotations

from collections.abc import Mapping

from ..architectures import Network
from ..backends.base import BackendInfo
from ..closing import ClosedOnExit
from ..weights import resolve_network
from .model import FairMOT
from .options import ModelOptions


class SharedModel(ClosedOnExit):
    """A model that is loaded at the first use, once, for all sources of a command.

    Args:
        options: Settings of the model.

    Attributes:
        failure: Error of the loading, which every later source would meet too; None without one.
    """

    def __init__(self, options: ModelOptions) -> None:
        self.failure: Exception | None = None
        self._options = options
        self._model: FairMOT | None = None
        self._facts: dict[str, object] = {}

    def load(self) -> FairMOT:
        """Return the model.

        Raises:
            FairMOTError: It cannot be loaded; one of the kinds listed for `FairMOT`.
        """
        if self._model is None:
            try:
                self._model = FairMOT.from_options(self._options)
            except Exception as error:
                self.failure = error
                raise
        return self._model

    def facts(self) -> Mapping[str, object]:
        """Return all of the model that results depend on: network, backend, association and names of classes.

        Raises:
            FairMOTError: The model cannot be loaded.
        """
        model = self.load()
        if not self._facts:
            info = model.backend.info
            self._facts = {
                "network": network_digest(self._options, info),
                "backend": [info.name, info.version, info.device, info.precision],
                "tracker": model.tracker_config,
                "classes": model.class_names,
            }
        return self._facts

    def weights_digest(self) -> str:
        """Return the digest of the checkpoint.

        Raises:
            FairMOTError: The weights cannot be found or read.
        """
        return _network(self._options).checkpoint.digest

    def close(self) -> None:
        """Close the model, if it was loaded; safe to call twice."""
        if self._model is not None:
            self._model.close()


def network_digest(options: ModelOptions, info: BackendInfo) -> str:
    """Return a digest of the network that a model runs: weights, input size, version of the graph, and its int8 form.

    Args:
        options: Settings of the model.
        info: Backend that runs it.

    Raises:
        FairMOTError: The weights cannot be found or read any more.
    """
    network = _network(options)
    int8 = _int8_digest(network) if (info.name, info.precision) == ("openvino", "int8") else ""
    return f"{network.key()}-{int8}" if int8 else network.key()


def _network(options: ModelOptions) -> Network:
    return resolve_network(options.weights, options.input_size, offline=options.offline, progress=False)


def _int8_digest(network: Network) -> str:
    from ..backends.openvino.int8_file import Int8File

    return Int8File(network).digest
