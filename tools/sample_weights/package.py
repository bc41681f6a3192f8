"""Install a trained checkpoint as the package's ``sample`` weights, with its length and digest in the registry.

    python tools/sample_weights/package.py CHECKPOINT

The same checkpoint gives the same bytes with the same Python: the archive is not compressed (a wheel and git compress
it anyway), keeps the order of the arrays and holds no dates.
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
MAX_BYTES = 45_000_000  # limit for a file that ships in the package


def main() -> None:
    """Convert and check the checkpoint; replace the file and its registry entry."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, help=".pdparams or .npz, any floating-point type")
    parser.add_argument("--input-size", type=InputSize.parse, help="network input to register; default: unchanged")
    parser.add_argument("--registry", type=Path, default=REGISTRY_FILE, help="weights.json; sample.npz lies beside it")
    arguments = parser.parse_args()
    target = package(arguments.checkpoint, arguments.registry.with_name(f"{NAME}.npz"))
    verified = verify_file(target)
    fields: dict[str, object] = {"sha256": verified.sha256, "bytes": verified.bytes}
    if arguments.input_size:
        fields["input_size"] = str(arguments.input_size)
    register(arguments.registry, fields)
    print(f"{target}: {verified.bytes} bytes, sha256 {verified.sha256}")


def package(checkpoint: Path, target: Path) -> Path:
    """Write ``target`` with convolutions in float16; norms and biases, 0.2 % of the numbers, stay in float32.

    Raises:
        CheckpointError: An array is missing, or has a number that float16 cannot hold.
        SystemExit: The file is larger than `MAX_BYTES`.
    """
    arrays = {name: _in_float16(array) for name, array in load_checkpoint(checkpoint).arrays.items()}
    part = target.with_name("part.npz")  # np.savez would add .npz to another suffix
    np.savez(part, **arrays)  # type: ignore[arg-type]  # no array is named allow_pickle
    if part.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{part} has {part.stat().st_size} bytes; expected at most {MAX_BYTES}.")
    load_checkpoint(part)  # also refuses numbers that became infinite in float16
    part.replace(target)
    return target


def register(registry: Path, fields: dict[str, object]) -> None:
    """Set fields of the registry entry `NAME`."""
    rows = json.loads(registry.read_text(encoding="utf-8"))
    (row,) = (row for row in rows if row["name"] == NAME)
    row.update(fields)
    registry.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _in_float16(array: NDArray[np.float32]) -> NDArray[np.float16 | np.float32]:
    with np.errstate(over="ignore"):  # `load_checkpoint` reports the array
        return array.astype(np.float16) if array.ndim > 1 else array


if __name__ == "__main__":
    main()
