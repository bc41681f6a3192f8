"""Shows the phases of NNCF with this package's progress display, in place of NNCF's own on stdout."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from ..console.progress import progress_bar

logger = logging.getLogger(__name__)

# Modules of NNCF whose loops run for a minute, through its function `track`; the text and the unit shown for each.
_PHASES = {
    "nncf.common.tensor_statistics.aggregator": ("calibration", "frame"),
    "nncf.quantization.algorithms.bias_correction.algorithm": ("bias correction", "layer"),
}


@contextmanager
def shown_phases(*, enabled: bool) -> Iterator[None]:
    """Return a context inside which NNCF's phases are shown on stderr; other releases of NNCF may show fewer.

    Args:
        enabled: False for no display.
    """
    replaced: list[tuple[Any, Any]] = []
    try:
        for name, (text, unit) in _PHASES.items():
            try:
                module = import_module(name)
                replaced.append((module, module.track))
            except (ImportError, AttributeError) as error:
                logger.debug("The progress of NNCF's %s is not shown: %s", text, error)
                continue
            module.track = partial(_shown, text, unit, enabled)  # type: ignore[attr-defined]
        yield
    finally:
        for module, track in replaced:
            module.track = track


def _shown(
    text: str, unit: str, enabled: bool, items: Iterable[Any], *_: object, total: int | None = None, **__: object
) -> Iterator[Any]:
    """Yield items like NNCF's `track` does, and show how many are done."""
    known = list(items) if total is None else items
    count = len(known) if isinstance(known, list) else total
    with progress_bar(text, count, enabled=enabled, unit=unit) as bar:
        for item in known:
            yield item
            bar.update()
