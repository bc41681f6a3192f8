"""Exceptions of this package. Every message gives the problem, the value, what was expected and what to do.

FairMOTError
├── InvalidInputError (ValueError)        an argument, an image or an array is not one the call accepts
├── SourceError (OSError)                 a video source cannot be opened or read
│   ├── SourceNotFoundError               a video source does not exist
│   └── SourceAccessError                 a server refuses the user or the password of a URL (401, 403)
├── OutputError (OSError)                 a result cannot be written: permission, full disk, a file in place of a folder
├── WeightsError                          base of the errors about weights
│   ├── UnknownWeightsError (LookupError) weights are neither a registered name nor a file
│   ├── DownloadError (OSError)           the server or the connection failed, or offline mode forbids it
│   ├── IntegrityError                    the bytes of a file are not the expected ones
│   └── CheckpointError (ValueError)      an array is missing or misshapen, or the file is unsafe to read
├── BackendError                          base of the errors about running the network
│   ├── BackendUnavailableError (ImportError)  a package is not installed; the message has the pip command
│   ├── DeviceUnavailableError (RuntimeError)  the requested device cannot be used
│   └── NotQuantizedError (LookupError)   no int8 network exists for these weights; the message has the command
├── EvaluationError                       base of the errors about scoring results
│   ├── TrackFileError (ValueError)       a file or folder of ground truth or results is missing or invalid
│   └── EvaluationUnavailableError (ImportError)  TrackEval is not installed; the message has the pip command
├── DetectionsFileError (ValueError)      a file of detections is missing, damaged, incomplete or of another version
├── DatasetError (ValueError)             training data is missing, unreadable, wrong or not enough
├── TrainingError                         base of the errors about training
│   ├── DivergedError (ArithmeticError)   a loss or a weight is NaN or infinite; the message has the step and the images
│   ├── ResumeError (ValueError)          a run cannot be resumed: its state is missing, damaged or of other settings
│   └── TrainingUnavailableError (ImportError)  PyTorch is not installed; the message has the pip command
├── BatchError                            base of the errors about many videos
│   ├── ManifestError (ValueError)        the manifest of a batch is of other settings, or is no manifest
│   └── EngineError (RuntimeError)        workers cannot be started or reached, or one was killed again and again
├── PackageUnavailableError (ImportError) a package that a conversion needs is missing; the message has the pip command
├── OutOfMemoryError (MemoryError)        the process may not use as much memory as the call needs
└── StateError (RuntimeError)             a call was made at the wrong time, such as `predict` outside `stream_mode`
"""

from __future__ import annotations

from .messages import plain_line

__all__ = [
    "BackendError",
    "BackendUnavailableError",
    "BatchError",
    "CheckpointError",
    "DatasetError",
    "DetectionsFileError",
    "DeviceUnavailableError",
    "DivergedError",
    "DownloadError",
    "EngineError",
    "EvaluationError",
    "EvaluationUnavailableError",
    "FairMOTError",
    "IntegrityError",
    "InvalidInputError",
    "ManifestError",
    "NotQuantizedError",
    "OutOfMemoryError",
    "OutputError",
    "PackageUnavailableError",
    "ResumeError",
    "SourceAccessError",
    "SourceError",
    "SourceNotFoundError",
    "StateError",
    "TrackFileError",
    "TrainingError",
    "TrainingUnavailableError",
    "UnknownWeightsError",
    "WeightsError",
]


class FairMOTError(Exception):
    """Base of all errors that this package raises on purpose.

    Args:
        message: Description of the problem. Names and values in it may come from untrusted files and servers: it is
            made one line without control characters, and cut in the middle if it is longer than 300 characters.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(plain_line(message))


class InvalidInputError(FairMOTError, ValueError):
    """An argument, an image or an array is not one the call accepts."""


class SourceError(FairMOTError, OSError):
    """A video source cannot be opened or read."""


class SourceNotFoundError(SourceError):
    """A video source does not exist."""


class SourceAccessError(SourceError):
    """A server refuses the user or the password of a URL."""


class OutputError(FairMOTError, OSError):
    """A result cannot be written."""


class WeightsError(FairMOTError):
    """Base of the errors about weights."""


class UnknownWeightsError(WeightsError, LookupError):
    """Weights are neither a registered name nor an existing file."""


class DownloadError(WeightsError, OSError):
    """Weights could not be downloaded."""


class IntegrityError(WeightsError):
    """The bytes of a file are not the expected ones."""


class CheckpointError(WeightsError, ValueError):
    """A checkpoint lacks an array, has one of the wrong shape, or is unsafe to read."""


class BackendError(FairMOTError):
    """Base of the errors about running the network."""


class BackendUnavailableError(BackendError, ImportError):
    """The package that a backend needs is not installed."""


class DeviceUnavailableError(BackendError, RuntimeError):
    """The requested device cannot be used."""


class NotQuantizedError(BackendError, LookupError):
    """No usable int8 network exists for these weights at this input size."""


class EvaluationError(FairMOTError):
    """Base of the errors about scoring results."""


class TrackFileError(EvaluationError, ValueError):
    """A file or folder of ground truth or results is missing or invalid."""


class EvaluationUnavailableError(EvaluationError, ImportError):
    """The package that computes the scores is not installed."""


class DetectionsFileError(FairMOTError, ValueError):
    """A file of detections is missing, damaged, incomplete or of another version."""


class DatasetError(FairMOTError, ValueError):
    """Training data is missing, unreadable, wrong or not enough."""


class TrainingError(FairMOTError):
    """Base of the errors about training."""


class DivergedError(TrainingError, ArithmeticError):
    """A loss or a weight is NaN or infinite."""


class ResumeError(TrainingError, ValueError):
    """A run cannot be resumed."""


class TrainingUnavailableError(TrainingError, ImportError):
    """PyTorch, which training needs, is not installed."""


class BatchError(FairMOTError):
    """Base of the errors about many videos."""


class ManifestError(BatchError, ValueError):
    """The manifest of a batch is of other settings, or the file is no manifest."""


class EngineError(BatchError, RuntimeError):
    """Workers cannot be started or reached, or one was killed again and again."""


class PackageUnavailableError(FairMOTError, ImportError):
    """A conversion needs a package that is not installed."""


class OutOfMemoryError(FairMOTError, MemoryError):
    """The process may not use as much memory as the call needs."""


class StateError(FairMOTError, RuntimeError):
    """A call was made at the wrong time."""
