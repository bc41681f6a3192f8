"""Choice of the device and the precision of a training run."""

from __future__ import annotations

import re

import torch

from ..errors import DeviceUnavailableError, InvalidInputError


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """Return the device of this process.

    Args:
        name: ``auto`` (a GPU if PyTorch finds one, else the CPU), ``cpu``, ``cuda`` or ``cuda:N``.
        local_rank: Number of this process on its machine; with ``auto`` and ``cuda`` each process takes its own GPU.

    Raises:
        InvalidInputError: The name is none of these.
        DeviceUnavailableError: PyTorch cannot use the GPU.
    """
    match = re.fullmatch(r"auto|cpu|cuda(?::(\d{1,3}))?", name)
    if match is None:
        raise InvalidInputError(f"device is {name!r}; expected auto, cpu, cuda or cuda:N.")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise DeviceUnavailableError(
            f"device is {name}, but PyTorch {torch.__version__} can use no CUDA GPU here; install a build of torch for "
            "your driver, or use --device cpu."
        )
    number = int(match[1]) if match[1] else local_rank
    if number >= torch.cuda.device_count():
        raise DeviceUnavailableError(
            f"GPU {number} is asked for, but PyTorch finds {torch.cuda.device_count()}; start no more processes on a "
            "machine than it has GPUs, or name another device."
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def choose_precision(name: str, device: torch.device) -> str:
    """Resolve ``auto`` to ``bf16`` if the device has instructions for it, otherwise to ``fp32``.

    Raises:
        DeviceUnavailableError: ``bf16`` is asked for on a GPU that cannot compute it.
    """
    if device.type == "cuda":
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        if name == "bf16" and not has_bf16:
            raise DeviceUnavailableError(
                f"precision is bf16, which {torch.cuda.get_device_name(device)} does not compute; use --precision fp32."
            )
    else:
        has_bf16 = bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 (PyTorch has no public name)
    return ("bf16" if has_bf16 else "fp32") if name == "auto" else name


def describe_device(device: torch.device, threads: int) -> str:
    """Return the device for messages and the model card."""
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
