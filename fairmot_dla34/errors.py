"""The exceptions of this package. Every message says what was wrong, what came, what was expected, what to do.

FairMOTError
├── InvalidInputError (ValueError)        an argument, an image or an array is not what the call takes
├── SourceError (OSError)                 a video source cannot be opened or read
│   └── SourceNotFoundError               it does not exist
├── OutputError (OSError)                 a result cannot be written: permission, full disk, a file in the way
├── WeightsError                          anything about weights
│   ├── UnknownWeightsError (LookupError) neither a registered name nor a file
│   ├── DownloadError (OSError)           the server or the connection failed, or offline mode forbids it
│   ├── IntegrityError                    the bytes are not the ones expected
│   └── CheckpointError (ValueError)      an array is missing or misshapen, or the file is unsafe to read
├── BackendError                          anything about running the network
│   ├── BackendUnavailableError (ImportError)  its package is not installed; the message has the pip line
│   ├── DeviceUnavailableError (RuntimeError)  the device asked for cannot be used
│   └── NotQuantizedError (LookupError)   no int8 network was made of these weights; the message has the command
├── EvaluationError                       anything about scoring results
│   ├── TrackFileError (ValueError)       a file or folder of ground truth or results is not what it should be
│   └── EvaluationUnavailableError (ImportError)  TrackEval is not installed; the message has the pip line
└── StateError (RuntimeError)             a call came at the wrong time, such as `predict` outside `stream_mode`
"""

from __future__ import annotations

__all__ = [
    "BackendError",
    "BackendUnavailableError",
    "CheckpointError",
    "DeviceUnavailableError",
    "DownloadError",
    "EvaluationError",
    "EvaluationUnavailableError",
    "FairMOTError",
    "IntegrityError",
    "InvalidInputError",
    "NotQuantizedError",
    "OutputError",
    "SourceError",
    "SourceNotFoundError",
    "StateError",
    "TrackFileError",
    "UnknownWeightsError",
    "WeightsError",
]


class FairMOTError(Exception):
    """Base of every error this package raises on purpose."""


class InvalidInputError(FairMOTError, ValueError):
    """An argument, an image or an array is not what the call takes."""


class SourceError(FairMOTError, OSError):
    """A video source cannot be opened or read."""


class SourceNotFoundError(SourceError):
    """A video source does not exist."""


class OutputError(FairMOTError, OSError):
    """A result cannot be written."""


class WeightsError(FairMOTError):
    """Base of the errors about weights."""


class UnknownWeightsError(WeightsError, LookupError):
    """Neither a registered name nor an existing file."""


class DownloadError(WeightsError, OSError):
    """Weights could not be fetched."""


class IntegrityError(WeightsError):
    """A file's bytes are not the ones expected."""


class CheckpointError(WeightsError, ValueError):
    """A checkpoint lacks an array, has one of the wrong shape, or is unsafe to read."""


class BackendError(FairMOTError):
    """Base of the errors about running the network."""


class BackendUnavailableError(BackendError, ImportError):
    """The package that a backend needs is not installed."""


class DeviceUnavailableError(BackendError, RuntimeError):
    """The device asked for cannot be used."""


class NotQuantizedError(BackendError, LookupError):
    """No usable int8 network was made of these weights at this input size."""


class EvaluationError(FairMOTError):
    """Base of the errors about scoring results."""


class TrackFileError(EvaluationError, ValueError):
    """A file or folder of ground truth or results is not what it should be."""


class EvaluationUnavailableError(EvaluationError, ImportError):
    """The package that computes the scores is not installed."""


class StateError(FairMOTError, RuntimeError):
    """A call came at the wrong time."""
