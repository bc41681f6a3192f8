"""Reads the names of classes, and the folders of train and val, from the files that come with YOLO labels."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import DatasetError
from .reading import entries_of, read_text

_LISTS = ("classes.txt", "obj.names", "_darknet.labels", "labels.txt")
_MAX_CLASS = 10_000
_ITEM = re.compile(r"""\s*(?:(\d{1,5})\s*:|-)\s*(?:"([^"]*)"|'([^']*)'|([^#]*?))\s*(?:#.*)?""")
_INLINE = re.compile(r"""\s*(?:(\d{1,5})\s*:\s*)?(?:"([^"]*)"|'([^']*)'|([^,\[\]{}"']+))""")


@dataclass
class ClassFile:
    """Content of a file that describes a dataset.

    Attributes:
        path: The file; the folder of the dataset if there is none.
        names: Name by number; empty if not stated.
        parts: Folder, as written, of ``train``, ``val`` and ``test``, if stated.
    """

    path: Path
    names: dict[int, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)


def read_class_file(root: Path) -> ClassFile:
    """Read ``data.yaml`` or another YAML file with ``names``, else a list of names, else the classes of a dataset.

    Of YAML, the subset is read that such files use: ``key: value``, and ``names`` as a list or a mapping.

    Raises:
        DatasetError: Two YAML files have names, or a file is damaged.
    """
    files = [path for path in entries_of(root) if path.is_file()]
    described = [
        found for path in files if path.suffix.casefold() in {".yaml", ".yml"} and (found := _from_yaml(path)).names
    ]
    if len(described) > 1:
        described = [found for found in described if found.path.stem.casefold() in {"data", "dataset"}] or described
        if len(described) > 1:
            raise DatasetError(
                f"{described[0].path} and {described[1].path} both name the classes; expected one. Remove the other."
            )
    if described:
        return described[0]
    for path in files:
        if path.name.casefold() in _LISTS or path.suffix.casefold() == ".names":
            lines = read_text(path, "one class name per line").split("\n")
            return ClassFile(path, {number: name.strip() for number, name in enumerate(lines) if name.strip()})
    manifest = root / "dataset.json"
    return _from_manifest(manifest) if manifest.is_file() else ClassFile(root)


def _from_manifest(path: Path) -> ClassFile:
    """Return the classes of a prepared dataset."""
    try:
        names = json.loads(read_text(path, "the description of a dataset")).get("classes")
    except (ValueError, AttributeError, RecursionError):
        names = None
    valid = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return ClassFile(path, dict(enumerate(names)) if valid else {})


def _from_yaml(path: Path) -> ClassFile:
    found = ClassFile(path)
    lines = read_text(path, "a YAML file").split("\n")
    for position, line in enumerate(lines):
        key, colon, value = line.partition(":")
        value = value.split(" #")[0].strip()
        if key in {"train", "val", "test"} and colon and value:
            found.parts[key] = value.strip("'\"")
        elif key == "names" and colon and value:
            found.names = _inline_names(path, position + 1, _until_closed(value, lines[position + 1 :]))
        elif key == "names" and colon:
            found.names = _block_names(lines[position + 1 :])
    return found


def _until_closed(value: str, following: list[str]) -> str:
    """Return a list or mapping in brackets that may go on in the next lines."""
    for line in following:
        if value.rstrip().endswith(("]", "}")):
            break
        value += " " + line.split(" #")[0].strip()
    return value.strip()


def _inline_names(path: Path, line: int, value: str) -> dict[int, str]:
    if value[0] + value[-1] not in {"[]", "{}"}:
        raise DatasetError(f"{path}, line {line}: names is {value!r}; expected a list such as ['person', 'car'].")
    names: dict[int, str] = {}
    for match in _INLINE.finditer(value[1:-1]):
        name = next((text for text in match.groups()[1:] if text is not None), "").strip()
        if name:
            names[int(match[1]) if match[1] else len(names)] = name
    return names


def _block_names(lines: list[str]) -> dict[int, str]:
    names: dict[int, str] = {}
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ITEM.fullmatch(line)
        if not match or not (line[0].isspace() or line.startswith("-")) or len(names) > _MAX_CLASS:
            break
        names[int(match[1]) if match[1] else len(names)] = next(text for text in match.groups()[1:] if text is not None)
    return names
