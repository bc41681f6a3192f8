"""Files of int8 networks, one per checkpoint, input size and graph. `fairmot_dla34.quantization` makes them."""

from __future__ import annotations

import logging
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...architectures import Network
from ...config import is_whole
from ...errors import NotQuantizedError
from ...weights import cache_dir
from ..base import reason_of
from .graph import GRAPH_VERSION
from .sealed_file import SealError, read_header, read_sealed, write_sealed

if TYPE_CHECKING:
    import openvino

logger = logging.getLogger(__name__)

_XML_BYTES = "xml_bytes"  # in the header, beside the fields of `Int8Facts`: the content is the XML, then the constants
_MOST_LISTED = 1000


@dataclass(frozen=True)
class Int8Facts:
    """Checkpoint, input size and calibration video that an int8 network was made from.

    Attributes:
        weights: File name of the checkpoint.
        input_size: Network input, ``1088x608``.
        calibration: Name of the calibration video.
        frames: Number of its frames that were used.

    Raises:
        TypeError: A field is of another type, which shows a file that this package did not write.
    """

    weights: str
    input_size: str
    calibration: str
    frames: int

    def __post_init__(self) -> None:
        texts = (self.weights, self.input_size, self.calibration)
        if not all(isinstance(text, str) for text in texts) or not is_whole(self.frames, 0):
            raise TypeError("facts of an int8 network are of other types")


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
    return cache_dir() / "quantized" / f"{_key(network)}.int8"


def write_int8(network: Network, int8: Int8Network, facts: Int8Facts) -> Path:
    """Write an int8 network in place of an earlier one, as a single file that is whole or absent.

    Raises:
        OSError: The file cannot be written.
        CheckpointError: The checkpoint cannot be read.
    """
    path = int8_path(network)
    write_sealed(path, _key(network), asdict(facts) | {_XML_BYTES: len(int8.xml)}, int8.xml, int8.weights)
    return path


class Int8File:
    """The int8 file of a network, read from the cache and verified.

    Args:
        network: Checkpoint and input size.

    Attributes:
        digest: Digest that changes with every calibration.

    Raises:
        NotQuantizedError: The file does not exist, is damaged or belongs to another network.
        CheckpointError: The checkpoint cannot be read.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        try:
            header, self._content = read_sealed(int8_path(network), _key(network))
            self._xml_bytes = _xml_bytes(header.facts)
        except FileNotFoundError as error:
            raise self._unusable("is not in the cache") from error
        except OSError as error:
            raise self._unusable(f"cannot be read ({error.strerror or error})") from error
        except SealError as error:
            raise self._unusable(f"is damaged ({error})") from error
        self.digest = f"{header.digest} {header.facts}"

    def unpack(self) -> Int8Network:
        """Return the network."""
        return Int8Network(self._content[: self._xml_bytes], self._content[self._xml_bytes :])

    def read_model(self, core: openvino.Core) -> openvino.Model:
        """Return the network as an OpenVINO graph.

        Raises:
            NotQuantizedError: OpenVINO cannot read it.
        """
        network = self.unpack()
        try:
            return core.read_model(network.xml, network.weights)
        except RuntimeError as error:
            raise self._unusable(f"is damaged ({reason_of(error)})") from error

    def _unusable(self, problem: str) -> NotQuantizedError:
        weights, size = self._network.label, self._network.input_size
        return NotQuantizedError(
            f"The int8 network of {Path(weights).name} at {size} {problem}; make it on this machine: fairmot_dla34 "
            f"quantize --weights {shlex.quote(weights)} --input-size {size} --calibration VIDEO"
        )


def list_int8() -> list[Int8Facts]:
    """Return the facts about each int8 network in the cache, at most 1,000; files that are none are left out.

    Only the headers are read, at most 64 KiB each.
    """
    found = []
    for path in sorted((cache_dir() / "quantized").glob("*.int8"))[:_MOST_LISTED]:
        try:
            facts = read_header(path).facts
            _xml_bytes(facts)
            found.append(Int8Facts(**{name: value for name, value in facts.items() if name != _XML_BYTES}))
        except (OSError, SealError, TypeError) as error:
            logger.debug("%s is not an int8 network: %s", path, error)
    return found


def _key(network: Network) -> str:
    return network.key(f"int8 graph {GRAPH_VERSION}")


def _xml_bytes(facts: dict[str, Any]) -> int:
    length = facts.get(_XML_BYTES) if isinstance(facts, dict) else None
    if not is_whole(length, 0):
        raise SealError("its header is of another version")
    return length
