"""Interpreter of the pickles in PyTorch's checkpoints, with PyTorch's constructors replaced by descriptions.

The admitted names are those that a state dictionary, its tensors and an optimiser's state need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

from .errors import FormatError
from .pickle_machine import PickleMachine
from .pickle_values import Constructor, PickledDict
from .pth_tensors import STORAGE_TYPES, StorageView, Tensor, make_tensor
from .stored import StoredArray

STATE_DICT = "state_dict"  # entry of the checkpoints that ifzhang/FairMOT and others write


def run_pickle(stream: BinaryIO, end: int, find_storage: Callable[[object], StorageView]) -> object:
    """Interpret the pickle at a position of a stream; the stream is then at its end.

    Args:
        stream: Binary stream at the pickle's start.
        end: Length of the stream in bytes.
        find_storage: Function that returns the storage of a persistent id.

    Raises:
        FormatError: The pickle asks for something that no checkpoint needs.
        Exception: The pickle is damaged; of nearly any type.
    """
    return PickleMachine(stream, end, _ADMITTED, (PickledDict,), find_storage).run()


def named_arrays(loaded: object) -> dict[str, StoredArray]:
    """Return the arrays of a checkpoint: of its ``state_dict`` and beside it, or of a plain state dictionary.

    Args:
        loaded: Value of the pickle.

    Raises:
        FormatError: It is not a dictionary of named tensors.
    """
    if not isinstance(loaded, PickledDict):
        kind = "tensor" if isinstance(loaded, Tensor) else type(loaded).__name__
        raise FormatError(f"it holds a {kind}; expected a dictionary of named tensors, or one with a {STATE_DICT}.")
    arrays: dict[str, StoredArray] = {}
    nested = [value for name, value in loaded.entries if isinstance(name, str) and name == STATE_DICT]
    for entries in (loaded.entries, *(value.entries for value in nested if isinstance(value, PickledDict))):
        for name, value in entries:
            if not isinstance(name, str) or not isinstance(value, Tensor):
                continue
            if name in arrays:
                raise FormatError(f"it has two arrays of the name {name}; expected one.")
            arrays[name] = value.stored()
    if not arrays:
        names = [name for name, _value in loaded.entries[:8] if isinstance(name, str)]
        entries_found = f" (it has {', '.join(names)[:100]})" if names else ""
        raise FormatError(f"it has no tensors, neither at its top nor in an entry {STATE_DICT}{entries_found}.")
    return arrays


def check_storage_id(persistent_id: object) -> tuple[object, ...]:
    """Return a persistent id, which must be that of a storage: ("storage", type, key, device, length, ...).

    Raises:
        FormatError: It is something else.
    """
    if not isinstance(persistent_id, tuple) or len(persistent_id) not in {5, 6} or persistent_id[0] != "storage":
        raise FormatError("it refers to something other than a storage, as no state dictionary does.")
    return persistent_id


def _rebuild_tensor(
    view: object,
    first: object,
    shape: object,
    strides: object,
    _requires_grad: object = None,
    _hooks: object = None,
    metadata: object = None,
) -> Tensor:
    if metadata is not None and not (isinstance(metadata, PickledDict) and not metadata.entries):
        raise FormatError("it has a tensor whose numbers are to be negated or conjugated, as in no state dictionary.")
    return make_tensor(view, first, shape, strides)


def _rebuild_parameter(tensor: object, _requires_grad: object, _hooks: object) -> object:
    return tensor


def _empty_dict() -> PickledDict:
    return PickledDict()  # without arguments: entries follow by SETITEMS


def _same_tuple(values: object) -> object:
    if not isinstance(values, tuple):
        raise FormatError("it makes a shape of something other than a tuple, as no checkpoint does.")
    return values


_ADMITTED: Mapping[tuple[str, str], object] = {
    ("collections", "OrderedDict"): Constructor(_empty_dict),
    ("torch", "Size"): Constructor(_same_tuple),
    ("torch._utils", "_rebuild_tensor"): Constructor(_rebuild_tensor),
    ("torch._utils", "_rebuild_tensor_v2"): Constructor(_rebuild_tensor),
    ("torch._utils", "_rebuild_parameter"): Constructor(_rebuild_parameter),
    # Before PyTorch 1.6, the type of a storage named its device.
    **{(module, name): kind for module in ("torch", "torch.cuda") for name, kind in STORAGE_TYPES.items()},
}
