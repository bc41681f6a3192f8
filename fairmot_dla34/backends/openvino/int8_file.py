"""Files of int8 networks, one per checkpoint, input size and graph. `fairmot_dla34.quantization` makes them."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import shlex
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...architectures import Network
from ...errors import NotQuantizedError
from ...files import write_whole
from ...weights import cache_dir
from ..base import reason_of
from .graph import GRAPH_VERSION

if TYPE_CHECKING:
    import openvino

logger = logging.getLogger(__name__)

_XML, _BIN, _FACTS = "network.xml", "network.bin", "facts.json"
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)  # the file's bytes do not depend on the clock


@dataclass(frozen=True)
class Int8Facts:
    """Checkpoint, input size and calibration video that an int8 network was made from.

    Attributes:
        weights: File name of the checkpoint.
        input_size: Network input, ``1088x608``.
        calibration: Name of the calibration video.
        frames: Number of its frames that were used.
    """

    weights: str
    input_size: str
    calibration: str
    frames: int


@dataclass(frozen=True)
class Int8Network:
    """An int8 network as OpenVINO's intermediate representation.

    Attributes:
        xml: The graph.
        weights: Its constants.
    """

    xml: bytes
    weights: bytes


def int8_path(network: Network) -> Path:
    """Return the path of a network's int8 file, which may not exist yet.

    Raises:
        CheckpointError: The checkpoint cannot be read.
    """
    return cache_dir() / "quantized" / f"{network.key(f'int8 graph {GRAPH_VERSION}')}.zip"


def write_int8(network: Network, int8: Int8Network, facts: Int8Facts) -> Path:
    """Write an int8 network in place of an earlier one, as a single file that is whole or absent.

    Raises:
        OSError: The file cannot be written.
        CheckpointError: The checkpoint cannot be read.
    """
    path, content = int8_path(network), io.BytesIO()
    members = {_XML: int8.xml, _BIN: int8.weights, _FACTS: json.dumps(asdict(facts)).encode()}
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), data)
    write_whole(path, content.getvalue())
    return path


class Int8File:
    """The int8 file of a network, read from the cache.

    Args:
        network: Checkpoint and input size.

    Attributes:
        digest: Digest that changes with every calibration.

    Raises:
        NotQuantizedError: The file does not exist.
        CheckpointError: The checkpoint cannot be read.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._path = int8_path(network)
        try:
            self._content = self._path.read_bytes()
        except OSError as error:
            raise self._unusable(f"is not at {self._path} ({error.strerror or error})") from error
        self.digest = hashlib.sha256(self._content).hexdigest()

    def unpack(self) -> Int8Network:
        """Return the network.

        Raises:
            NotQuantizedError: The file is damaged.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
                return Int8Network(archive.read(_XML), archive.read(_BIN))  # each checked against its CRC
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError) as error:
            raise self._damaged(error) from error

    def read_model(self, core: openvino.Core) -> openvino.Model:
        """Return the network as an OpenVINO graph.

        Raises:
            NotQuantizedError: The file is damaged.
        """
        network = self.unpack()
        try:
            return core.read_model(network.xml, network.weights)
        except RuntimeError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> NotQuantizedError:
        return self._unusable(f"at {self._path} is damaged ({reason_of(error)})")

    def _unusable(self, problem: str) -> NotQuantizedError:
        weights, size = self._network.label, self._network.input_size
        return NotQuantizedError(
            f"Precision is 'int8', but the int8 network of {Path(weights).name} at {size} {problem}; expected one made "
            "on this machine from a calibration video: fairmot_dla34 quantize "
            f"--weights {shlex.quote(weights)} --input-size {size} --calibration VIDEO"
        )


def list_int8() -> list[Int8Facts]:
    """Return the facts about each int8 network in the cache; files that cannot be read are left out."""
    found = []
    for path in sorted((cache_dir() / "quantized").glob("*.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                found.append(Int8Facts(**json.loads(archive.read(_FACTS))))
        except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
            logger.debug("%s is not an int8 network: %s", path, error)
    return found
