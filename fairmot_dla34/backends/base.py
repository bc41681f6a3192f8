"""The `Backend` base class: one loaded network that any number of threads may use."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..closing import ClosedOnExit
from ..config import InputSize, check_choice, check_flag, is_whole, shown
from ..errors import BackendError, InvalidInputError, OutOfMemoryError, StateError
from ..memory import is_lack_of_memory
from ..values import Peaks

PRECISIONS = ("auto", "fp32", "bf16", "int8")


@dataclass(frozen=True)
class BackendInfo:
    """Runtime, device and precision of a backend; logged once and part of the summary.

    Attributes:
        name: Name in the registry, such as ``openvino``.
        version: Version of the library behind it.
        device: ``CPU``, ``GPU`` or the runtime's own name of the device.
        precision: ``fp32``, ``bf16`` or ``int8``.
        threads: CPU threads, or None if the runtime decides.
        streams: Images that the network processes at the same time.
    """

    name: str
    version: str
    device: str
    precision: str
    threads: int | None = None
    streams: int = 1

    def __str__(self) -> str:
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.threads else ""
        streams = f", {self.streams} streams" if self.streams > 1 else ""
        return f"{self.name} {self.version} on {self.device}, {self.precision}{threads}{streams}"


@dataclass(frozen=True)
class BackendOptions:
    """Settings for running a network.

    Attributes:
        precision: ``auto``, ``fp32``, ``bf16`` or ``int8``.
        use_gpu: Run on an accelerator; an error if there is none.
        threads: CPU threads for the network, without ``use_gpu``; None: as many as this process may use.
        streams: Images that the network processes at the same time, if several threads ask for it.
        keep_compiled: Keep the compiled network on disk for the next start, if the backend compiles one.

    Raises:
        InvalidInputError: The precision is unknown, a number is not a whole number from 1 to 1024, or ``threads`` is
            given with ``use_gpu``.
    """

    precision: str = "auto"
    use_gpu: bool = False
    threads: int | None = None
    streams: int = 1
    keep_compiled: bool = True

    def __post_init__(self) -> None:
        check_choice("Precision", self.precision, PRECISIONS)
        check_flag("use_gpu", self.use_gpu)
        for name, value in (("threads", self.threads), ("streams", self.streams)):
            if not is_whole(value, 1, 1024) and not (name == "threads" and value is None):
                raise InvalidInputError(f"{name} is {shown(value)}; expected a whole number from 1 to 1024.")
        if self.use_gpu and self.threads is not None:
            raise InvalidInputError(
                f"threads is {self.threads} and use_gpu is True; expected CPU threads for a network on the CPU only: "
                "leave one of them out."
            )


class Backend(ClosedOnExit, ABC):
    """One network, loaded and ready. Every method may be called from any thread.

    At most ``info.streams`` images are processed at the same time; further calls wait for their turn. A subclass
    implements `_infer`, which runs for that many images at a time, and `_release`.

    Attributes:
        info: Runtime, device and precision.
        input_size: Size in px of the images it accepts.
    """

    def __init__(self, info: BackendInfo, input_size: InputSize) -> None:
        self.info = info
        self.input_size = input_size
        # A Ctrl-C may strike between a semaphore's acquisition and the body of its `with`, never so with a plain lock.
        self._slots = threading.Lock() if info.streams == 1 else threading.BoundedSemaphore(info.streams)
        self._closing = threading.Lock()
        self._closed = False

    def infer(self, image: NDArray[np.uint8]) -> Peaks:
        """Run the network on one letterboxed image.

        Args:
            image: ``(height, width, 3)`` uint8 BGR of `input_size`; it may be overwritten after the call.

        Returns:
            Peaks in network px, best first.

        Raises:
            StateError: The backend is closed.
            BackendError: The runtime failed on the image.
        OutOfMemoryError: There was too little memory.
        """
        return self.infer_timed(image)[0]

    def infer_timed(self, image: NDArray[np.uint8]) -> tuple[Peaks, float]:
        """Run the network like `infer`; return also the seconds it ran, without the wait for its turn."""
        with self._slots:
            if self._closed:
                raise StateError("The network was closed; make a new FairMOT or Module for more images.")
            start_s = time.perf_counter()
            peaks = self._infer(image)
            return peaks, time.perf_counter() - start_s

    def close(self) -> None:
        """Free the network after the images in progress; safe to call twice. Waiting calls raise `StateError`."""
        with self._closing, ExitStack() as slots:  # an interrupted wait gives back the slots it has
            if self._closed:
                return
            self._closed = True
            for _ in range(self.info.streams):
                slots.enter_context(self._slots)
            self._release()

    @abstractmethod
    def _infer(self, image: NDArray[np.uint8]) -> Peaks:
        """Run the network on one image; called in at most ``info.streams`` threads at the same time."""

    def _release(self) -> None:
        """Free the network; called when no image is in progress."""


def only_fp32(name: str, precision: str) -> str:
    """Resolve the precision of a backend that computes in fp32 only.

    Raises:
        InvalidInputError: The precision is neither ``auto`` nor ``fp32``.
    """
    if precision not in {"auto", "fp32"}:
        raise InvalidInputError(
            f"Precision is {precision!r}; backend {name} runs in fp32 only: use auto or fp32, or backend openvino."
        )
    return "fp32"


def inference_error(info: BackendInfo, error: Exception) -> BackendError | OutOfMemoryError:
    """Return the error to raise if the runtime fails on an image, such as for lack of memory or of the device."""
    if is_lack_of_memory(error):
        return OutOfMemoryError(
            f"There is not enough memory to run the network on an image ({info}: {reason_of(error)}); free memory, or "
            "try a smaller input size."
        )
    return BackendError(
        f"The network failed on an image ({info}: {reason_of(error)}); try another backend, a smaller input size or "
        "the CPU."
    )


def reason_of(error: BaseException) -> str:
    """Return the last line of an error's text: OpenVINO and Paddle put source files before it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
