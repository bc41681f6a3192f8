"""Download URLs of registered weights, and the environment variables that change or forbid downloads."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from ...errors import DownloadError
from ..registry import WeightsEntry

MIRROR_VARIABLE = "FAIRMOT_DLA34_MIRROR"
OFFLINE_VARIABLE = "FAIRMOT_DLA34_OFFLINE"
SAMPLE_REMEDY = "or use --weights sample"


def is_offline() -> bool:
    """Return whether ``$FAIRMOT_DLA34_OFFLINE`` forbids connections: any value except empty, 0, false, no and off."""
    return os.environ.get(OFFLINE_VARIABLE, "").strip().lower() not in {"", "0", "false", "no", "off"}


@dataclass(frozen=True)
class DownloadLocation:
    """URL of a file, with the credentials to fetch it.

    Attributes:
        url: URL without user and password, safe to show.
        auth: User and password, or None.
    """

    url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)


def download_location(entry: WeightsEntry) -> DownloadLocation:
    """Return the location of ``entry``: its URL, with scheme and host replaced by the mirror's if one is set.

    ``$FAIRMOT_DLA34_MIRROR`` is ``http(s)://[user:password@]host[:port][/folder]``; the path of the published URL
    follows it unchanged.

    Raises:
        DownloadError: The mirror is not such a URL, or ``entry`` ships in this package and its file is missing.
    """
    if entry.url is None:
        raise DownloadError(
            f"{entry.name} ships in this package and is not downloaded, but {entry.packaged_path} is missing: install "
            "fairmot_dla34 again."
        )
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip()
    if not mirror:
        return DownloadLocation(entry.url)
    message = (
        f"${MIRROR_VARIABLE} is {_without_credentials(mirror)!r}; expected a URL such as https://mirror.example "
        "or https://mirror.example/folder, which replaces the host of the published URLs."
    )
    try:
        parts = urlsplit(mirror)
        host, user, password, _port = parts.hostname, parts.username, parts.password, parts.port
    except ValueError:  # invalid port or unclosed bracket; the text of this error may contain the password
        raise DownloadError(message) from None
    if parts.scheme not in {"http", "https"} or not host or "@" in parts.path or parts.query or parts.fragment:
        raise DownloadError(message)
    path = parts.path.rstrip("/") + urlsplit(entry.url).path
    url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))
    return DownloadLocation(url, None if user is None else (unquote(user), unquote(password or "")))


def _without_credentials(url: str) -> str:
    # Removes all before the last "@", because a password may contain "/" or "?"; a query goes too, it may be a token.
    return re.sub(r"^(\w+://)?.*@", r"\1***@", url).partition("?")[0]
