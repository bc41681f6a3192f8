"""Conversion of checkpoints between file formats and between the array names of the FairMOT projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architectures import Architecture, Checkpoint, find_architecture
from ..architectures.soundness import sound_float32
from ..config import InputSize, check_choice, check_flag
from ..errors import CheckpointError, InvalidInputError, OutOfMemoryError
from .checkpoint_file import INPUT_SIZE_NAME, load_checkpoint, stored_input_size
from .conversion_notes import note_boxes, note_merged, note_settings
from .conversion_report import Conversion
from .file_facts import file_identity
from .formats import open_arrays, reported_errors
from .formats.writing import writable_suffix, write_arrays
from .naming import FAMILIES, canonical_names, ifzhang
from .naming.mindspore import MINDSPORE, MINDSPORE_ZJUT
from .registry import WeightsEntry
from .resolve import find_entry, resolve_weights
from .target_file import check_apart, check_free, checked_target

CANONICAL = "paddledetection"
NAMES: Mapping[str, tuple[str, ...]] = {  # projects whose names a format may have; the first is the default
    ".pth": (ifzhang.NAME, CANONICAL),
    ".pdparams": (CANONICAL,),
    ".npz": (CANONICAL,),
    ".ckpt": (MINDSPORE.NAME, MINDSPORE_ZJUT.NAME),
}
ALL_NAMES = tuple(dict.fromkeys(name for names in NAMES.values() for name in names))
# Arrays of PaddleDetection's training: identity classifier and weights of the losses.
TRAINING_ARRAYS = ("reid.classifier.weight", "reid.classifier.bias", "loss.det_weight", "loss.reid_weight")
_FLOAT16_SUFFIX = ".npz"
_MAX_FLOAT16 = float(np.finfo(np.float16).max)

Arrays = dict[str, NDArray[Any]]


def convert(
    weights: str | PathLike[str],
    path: str | PathLike[str],
    *,
    to: str | None = None,
    float16: bool = False,
    input_size: InputSize | str | None = None,
    overwrite: bool = False,
    offline: bool | None = None,
    progress: bool = True,
) -> Conversion:
    """Write a checkpoint as a file of another format, with the array names of the project that uses the format.

    The numbers stay the same, bit by bit, unless ``float16`` rounds them or the project's network has other layers, as
    MindSpore's with plain convolutions, which a note of the result reports. The file is written as a whole: an error, a
    signal or a full disk leaves no part of it.

    Args:
        weights: A registered name or a checkpoint file of any format.
        path: File to write. Its suffix decides the format: ``.pth``, ``.pdparams``, ``.npz`` or
            ``.ckpt``.
        to: Project whose array names the file gets; None: the one that uses the format, see `NAMES`.
        float16: Round convolutions to float16, which halves a ``.npz`` file; norms and biases stay float32.
        input_size: Network input that the file shall state; None: that of ``weights``, if it is known.
        overwrite: Replace ``path`` if it exists.
        offline: Never open a connection; see `resolve_weights`.
        progress: Show a progress bar on stderr while downloading.

    Raises:
        InvalidInputError: An argument is not valid, the format does not have these names or float16, or the project
            has no network that computes the same.
        OutputError: The file exists, is the one that is read, or cannot be written.
        CheckpointError: The weights cannot be read or are not sound.
        OutOfMemoryError: The process may not use as much memory as the arrays need.
        WeightsError: One of the kinds listed for `resolve_weights`.
    """
    target = checked_target(path)
    suffix = writable_suffix(target)
    names = _checked_names(suffix, to)
    check_flag("float16", float16)
    check_flag("overwrite", overwrite)
    if float16 and suffix != _FLOAT16_SUFFIX:
        raise InvalidInputError(f"float16 is for {_FLOAT16_SUFFIX} files; {suffix} files have float32: leave it out.")
    entry = find_entry(weights)
    size = None if input_size is None else InputSize.parse(input_size)
    check_free(target, overwrite=overwrite)
    source = resolve_weights(weights, offline=offline, progress=progress)
    check_apart(source, target)
    try:
        return _convert(source, target, entry, names=names, size=size, float16=bool(float16))
    except MemoryError as error:
        if isinstance(error, OutOfMemoryError):
            raise
        raise OutOfMemoryError(
            f"{source} cannot be converted: this process may not use as much memory as its arrays need. Raise its "
            "limit (ulimit -v, the container's memory) to 1 GB or more."
        ) from error


def _convert(
    source: Path, target: Path, entry: WeightsEntry | None, *, names: str, size: InputSize | None, float16: bool
) -> Conversion:
    size = size or (entry.input_size if entry else stored_input_size(source))
    read = _read(source, find_architecture(entry.architecture) if entry else None)
    arrays: Arrays = dict(read.checkpoint.arrays)
    family = None if names == CANONICAL else next(family for family in FAMILIES if names == family.NAME)
    notes = [*note_settings(entry), *note_boxes(read.checkpoint.sizes, family)]
    left_out = list(read.left_out)
    if family is not None:
        arrays = family.from_canonical(read.checkpoint.arrays, read.checkpoint.architecture)
        left_out += list(read.training)
        notes += note_merged(len(read.checkpoint.arrays) - len(arrays), family)
    else:
        arrays |= read.training
    used = len(arrays) - (0 if family else len(read.training))
    if float16:
        arrays = {name: _in_float16(array, name) for name, array in arrays.items()}
    if size is not None:
        arrays[INPUT_SIZE_NAME] = np.array([size.width, size.height], np.float32)
    write_arrays(target, arrays)
    return Conversion(
        source,
        target,
        read.checkpoint.architecture.name,
        names,
        used,
        target.stat().st_size,
        size,
        float16,
        tuple(left_out),
        tuple(notes),
    )


@dataclass(frozen=True, eq=False)
class _Read:
    """Content of a checkpoint file: the network, arrays of the training, and the names of the other arrays."""

    checkpoint: Checkpoint
    training: Arrays
    left_out: tuple[str, ...]


def _read(path: Path, architecture: Architecture | None) -> _Read:
    identity = file_identity(path)
    checkpoint = load_checkpoint(path, architecture)
    with open_arrays(path) as found, reported_errors(path):
        stored = canonical_names(found)
        training: Arrays = {
            name: sound_float32(stored[name].read(), name, str(path))
            for name in TRAINING_ARRAYS
            if name in stored and stored[name].is_float
        }
        kept = {INPUT_SIZE_NAME, *checkpoint.arrays, *training}
        used = {id(getattr(array, "source", array)) for name, array in stored.items() if name in kept}
        left_out = tuple(name for name, array in found.items() if id(array) not in used)
    if file_identity(path) != identity:
        raise CheckpointError(f"{path} changed while it was read; wait until it is written, and convert it again.")
    return _Read(checkpoint, training, left_out)


def _checked_names(suffix: str, to: str | None) -> str:
    if to is None:
        return NAMES[suffix][0]
    check_choice("to", to, ALL_NAMES)
    if to not in NAMES[suffix]:
        suffixes = ", ".join(other for other, names in NAMES.items() if to in names)
        raise InvalidInputError(f"A {suffix} file cannot have the names of {to}; expected a file with {suffixes}.")
    return to


def _in_float16(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.ndim < 2:  # norms and biases, 0.2 % of the numbers
        return array
    largest = float(np.abs(array).max(initial=0))
    if largest > _MAX_FLOAT16:
        raise InvalidInputError(
            f"Array {name} has the number {largest:g}; expected at most {_MAX_FLOAT16:g}, the largest of float16: "
            "leave float16 out."
        )
    return array.astype(np.float16)
