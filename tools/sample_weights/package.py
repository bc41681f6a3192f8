"""Put a trained checkpoint into the package as the weights ``sample``, and its length and digest into the registry.

    python tools/sample_weights/package.py CHECKPOINT

The same numbers give the same bytes with the same Python: the archive is stored, not compressed (a wheel and
git compress it anyway), in the order of the network's arrays, without dates.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fairmot_dla34.config import InputSize
from fairmot_dla34.weights import load_checkpoint, verify_file
from fairmot_dla34.weights.registry import REGISTRY_FILE

NAME = "sample"
MOST_BYTES = 45_000_000  # what a package may weigh


def main() -> None:
    """Convert, check, and replace the file and its entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help=".pdparams or .npz, any floating-point type")
    parser.add_argument("--input-size", type=InputSize.parse, help="network input to register; default: as it is")
    parser.add_argument("--registry", type=Path, default=REGISTRY_FILE, help="weights.json; the file goes beside it")
    arguments = parser.parse_args()
    target = package(arguments.checkpoint, arguments.registry.with_name(f"{NAME}.npz"))
    found = verify_file(target)
    fields: dict[str, object] = {"sha256": found.sha256, "bytes": found.bytes, "classes": found.classes}
    if arguments.input_size:
        fields["input_size"] = str(arguments.input_size)
    register(arguments.registry, fields)
    print(f"{target}: {found.bytes} bytes, sha256 {found.sha256}")


def package(checkpoint: Path, target: Path) -> Path:
    """Write ``target``: convolutions in float16; norms and biases, 0.2 % of the numbers, stay as fine as they were.

    Raises:
        CheckpointError: The checkpoint lacks an array, or has one that float16 cannot hold.
        SystemExit: The file is too large to ship.
    """
    arrays = {name: _smaller(array) for name, array in load_checkpoint(checkpoint).arrays.items()}
    part = target.with_name("part.npz")  # np.savez would add .npz to another suffix
    np.savez(part, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    if part.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{part} has {part.stat().st_size} bytes; expected at most {MOST_BYTES}")
    load_checkpoint(part)  # also finds what became infinite in float16
    part.replace(target)
    return target


def register(registry: Path, fields: dict[str, object]) -> None:
    """Set fields of the entry `NAME`."""
    rows = json.loads(registry.read_text(encoding="utf-8"))
    (row,) = (row for row in rows if row["name"] == NAME)
    row.update(fields)
    registry.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _smaller(array: NDArray[np.float32]) -> NDArray[np.float16 | np.float32]:
    with np.errstate(over="ignore"):  # reported by `load_checkpoint`, with the array's name
        return array.astype(np.float16) if array.ndim > 1 else array


if __name__ == "__main__":
    main()
