"""Registers the fake network as a backend, for tests of jobs that name their backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fairmot_dla34.backends import BackendKind, register_backend, unregister_backend
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.batch.worker_model import close_worker_model


@contextmanager
def fake_backend() -> Iterator[None]:
    """Register the backend ``fake``; at the end, close the model that jobs in this process have loaded."""
    register_backend(BackendKind("fake", lambda network, _: FakeBackend(network.input_size)))
    yield
    close_worker_model()
    unregister_backend("fake")
