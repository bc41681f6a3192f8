"""int8 networks on disk, one file per weights, input size and graph. `fairmot_dla34.quantization` makes them."""

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

from ...errors import NotQuantizedError
from ...weights import cache_dir
from ..base import BackendRequest
from .network_files import network_key, write_whole

logger = logging.getLogger(__name__)

_XML, _BIN, _FACTS = "network.xml", "network.bin", "facts.json"
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # of time, for a zip archive: a file's bytes do not depend on the clock


@dataclass(frozen=True)
class QuantizationFacts:
    """What an int8 network was made from.

    Attributes:
        weights: The checkpoint's file name.
        input_size: The network input, ``1088x608``.
        calibration: Name of the video.
        frames: How many of its frames.
    """

    weights: str
    input_size: str
    calibration: str
    frames: int


@dataclass(frozen=True)
class QuantizedNetwork:
    """An int8 network as OpenVINO's intermediate representation.

    Attributes:
        xml: The graph.
        weights: Its constants.
    """

    xml: bytes
    weights: bytes


def quantized_path(request: BackendRequest) -> Path:
    """Return where the int8 network of a checkpoint and input size is, or belongs.

    Raises:
        CheckpointError: The weights cannot be read.
    """
    return cache_dir() / "quantized" / f"{network_key(request)}.zip"


def write_quantized(request: BackendRequest, network: QuantizedNetwork, facts: QuantizationFacts) -> Path:
    """Keep an int8 network in place of the one that was there; one file, so that it is never half a network.

    Raises:
        OSError: The disk does not take it.
        CheckpointError: The weights cannot be read.
    """
    path, content = quantized_path(request), io.BytesIO()
    members = {_XML: network.xml, _BIN: network.weights, _FACTS: json.dumps(asdict(facts)).encode()}
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _BEGINNING), data)
    write_whole(path, content.getvalue())
    return path


class QuantizedFile:
    """The int8 network of a checkpoint and input size, as it lies in the cache.

    Args:
        request: Weights and input size.

    Attributes:
        digest: Changes with every calibration.

    Raises:
        NotQuantizedError: There is none.
        CheckpointError: The weights cannot be read.
    """

    def __init__(self, request: BackendRequest) -> None:
        self._request = request
        self._path = quantized_path(request)
        try:
            self._content = self._path.read_bytes()
        except OSError as error:
            raise self._unusable(f"is not at {self._path} ({error.strerror or error})") from error
        self.digest = hashlib.sha256(self._content).hexdigest()

    def unpack(self) -> QuantizedNetwork:
        """Return the network.

        Raises:
            NotQuantizedError: The file is damaged.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
                return QuantizedNetwork(archive.read(_XML), archive.read(_BIN))  # each checked against its CRC
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, NotImplementedError) as error:
            raise self.damaged(str(error)) from error

    def damaged(self, reason: str) -> NotQuantizedError:
        """Return what to raise where the file does not hold a network."""
        return self._unusable(f"at {self._path} is damaged ({reason})")

    def _unusable(self, what: str) -> NotQuantizedError:
        request = self._request
        return NotQuantizedError(
            f"Precision is 'int8', but the int8 network of {request.weights.name} at {request.input_size} {what}; "
            "expected one that was made here from a video of yours: fairmot_dla34 quantize "
            f"--weights {shlex.quote(str(request.weights))} --input-size {request.input_size} --calibration VIDEO"
        )


def quantized_here() -> list[QuantizationFacts]:
    """Return what the int8 networks in the cache were made from; files that cannot be read are left out."""
    found = []
    for path in sorted((cache_dir() / "quantized").glob("*.zip")):
        try:
            with zipfile.ZipFile(path) as archive:
                found.append(QuantizationFacts(**json.loads(archive.read(_FACTS))))
        except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
            logger.debug("%s is not an int8 network: %s", path, error)
    return found
