"""Recognition of failed allocations of PyTorch, which raises several kinds of errors for them."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import traceback

import torch

from ...memory import is_lack_of_memory

_TEXTS = (
    "out of memory",  # CUDA's allocator and driver
    "_ALLOC_FAILED",  # cuDNN and cuBLAS
    "could not create a memory",  # oneDNN
)


def lacks_memory(error: BaseException) -> bool:
    """Return whether an error is a failed allocation on the CPU or a GPU."""
    known = isinstance(error, torch.cuda.OutOfMemoryError) or is_lack_of_memory(error)
    return known or (isinstance(error, RuntimeError) and any(text in str(error) for text in _TEXTS))


def free_frames(error: BaseException) -> None:
    """Drop the local variables of the calls that an error left: they hold the tensors of the failed step."""
    traceback.clear_frames(error.__traceback__)


def return_freed_memory() -> None:
    """Give freed memory back to the device and the system: pieces of another size are of no use to the next step."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError, TypeError):  # of the GNU C library only
        ctypes.CDLL(None).malloc_trim(0)


def reason(error: BaseException) -> str:
    """Return the first line of an error, shortened, for a message."""
    return (str(error).splitlines() or [type(error).__name__])[0][:80]
