"""Reads the setting of `anonymise`: which people are made unrecognisable, and which part of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..config import shown
from ..errors import InvalidInputError

_MAX_IDS = 1000
_EXPECTED = "expected heads, people, except:ID[,ID] or only:ID[,ID], such as except:3,7"


@dataclass(frozen=True)
class Anonymisation:
    """People that are made unrecognisable in the images of the outputs.

    Attributes:
        kind: ``heads`` or ``people`` of everybody, ``except`` for everybody but some ids, ``only`` for some ids.
        ids: The ids of ``except`` and ``only``.
    """

    kind: str
    ids: frozenset[int] = frozenset()

    @classmethod
    def parse(cls, value: object) -> Anonymisation:
        """Read ``"heads"``, ``"people"``, ``"except:3,7"`` or ``"only:3"``.

        Raises:
            InvalidInputError: The value has another form.
        """
        if isinstance(value, str):
            kind, colon, rest = value.partition(":")
            if kind in {"heads", "people"} and not colon:
                return cls(kind)
            words = [word.strip() for word in rest.split(",", _MAX_IDS)]
            if kind in {"except", "only"} and all(re.fullmatch(r"[1-9][0-9]{0,9}", word) for word in words):
                return cls(kind, frozenset(map(int, words)))
        raise InvalidInputError(f"anonymise is {shown(value)}; {_EXPECTED}.")

    @property
    def heads_only(self) -> bool:
        """True if only heads are covered."""
        return self.kind == "heads"

    @property
    def covers_unknown(self) -> bool:
        """True if people without an id are covered too."""
        return self.kind != "only"

    def covers(self, track_id: int) -> bool:
        """Return whether the person of an id is covered."""
        if self.kind in {"except", "only"}:
            return (track_id in self.ids) == (self.kind == "only")
        return True


def check_anonymise(value: object) -> Anonymisation | None:
    """Return the people to make unrecognisable; None for None.

    Raises:
        InvalidInputError: ``value`` is neither None nor of a form that `Anonymisation.parse` reads.
    """
    return None if value is None else Anonymisation.parse(value)
