"""Where weights come from and where they go: the environment variables of this package."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from ..errors import DownloadError
from .registry import WeightsEntry

HOME_VARIABLE = "FAIRMOT_DLA34_HOME"
MIRROR_VARIABLE = "FAIRMOT_DLA34_MIRROR"
OFFLINE_VARIABLE = "FAIRMOT_DLA34_OFFLINE"
SAMPLE_REMEDY = "or use the weights that are already here: --weights sample, in Python weights='sample'"


def cache_dir() -> Path:
    """Return the cache folder: ``$FAIRMOT_DLA34_HOME``, else the platform's. It may not exist yet."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("fairmot_dla34", appauthor=False))


def kept_path(entry: WeightsEntry) -> Path:
    """Return where ``entry`` is kept, whether it is there or not: in the cache, or in this package."""
    return entry.packaged_path or cache_dir() / f"{entry.name}.pdparams"


def is_offline() -> bool:
    """Return whether ``$FAIRMOT_DLA34_OFFLINE`` forbids connections: any value but an empty one, 0, false, no, off."""
    return os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in {"", "0", "false", "no", "off"}


@dataclass(frozen=True)
class Source:
    """A place to download from.

    Attributes:
        url: Without user and password, so that it can be shown.
        auth: User and password, or None.
    """

    url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)


def source_of(entry: WeightsEntry) -> Source:
    """Return where ``entry`` is downloaded from: its URL, with scheme and host replaced by the mirror's if one is set.

    ``$FAIRMOT_DLA34_MIRROR`` is ``http(s)://[user:password@]host[:port][/folder]``; the path of the published URL
    follows it unchanged.

    Raises:
        DownloadError: The mirror is not such an address, or ``entry`` ships in this package and its file is gone.
    """
    if entry.url is None:
        raise DownloadError(
            f"{entry.name} ships in this package and is not downloaded, but {entry.packaged_path} is missing: install "
            "fairmot_dla34 again."
        )
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror:
        return Source(entry.url)
    wrong = (
        f"${MIRROR_VARIABLE} is {_hide_credentials(mirror)!r}; expected an address such as https://mirror.example "
        "or https://mirror.example/folder, which replaces the host of the published URLs."
    )
    try:
        parts = urlsplit(mirror)
        host, user, password, _port = parts.hostname, parts.username, parts.password, parts.port
    except ValueError:  # a port that is no number, an unclosed bracket; its text may hold the password
        raise DownloadError(wrong) from None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.path or parts.query or parts.fragment:
        raise DownloadError(wrong)
    path = parts.path.rstrip("/") + urlsplit(entry.url).path
    url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
    return Source(url, None if user is None else (unquote(user), unquote(password or "")))


def _hide_credentials(address: str) -> str:
    # All before the last "@", also where a password has a "/" or "?" in it; a query goes too, it may be a token.
    return re.sub(r"^(\w+://)?.*@", r"\1***@", address).partition("?")[0]
