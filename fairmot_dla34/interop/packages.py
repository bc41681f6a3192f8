"""Import of optional packages, with an error that has the command to install them."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from ..errors import PackageUnavailableError


def import_package(name: str, purpose: str) -> ModuleType:
    """Import an optional package.

    Args:
        name: Name of the package, which is also its name for pip.
        purpose: The call that needs it, for the message.

    Raises:
        PackageUnavailableError: It is not installed, or cannot be imported.
    """
    if importlib.util.find_spec(name) is None:
        raise PackageUnavailableError(
            f"{purpose} needs the package {name}, which is not installed; install it: pip install {name}"
        )
    try:
        return importlib.import_module(name)
    except Exception as error:  # of any kind: the package was built for another version of its own dependencies
        raise PackageUnavailableError(
            f"{purpose} needs the package {name}, which cannot be imported ({type(error).__name__}: {error}); install "
            f"it again: pip install --force-reinstall {name}"
        ) from error
