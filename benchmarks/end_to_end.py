"""Frames per second from a folder of pictures to a MOT file, beside PaddleDetection's own `Tracker`, in one run.

    pip install 'fairmot_dla34[paddle]'
    python benchmarks/end_to_end.py --images FOLDER --weights W.pdparams

The two take turns, so that a machine whose speed drifts is as slow for one as for the other; medians and the ratio
per turn are printed. PaddleDetection runs with as many threads as there are cores: its default of one is slower.
Loading a network is not counted, on either side.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fairmot_dla34 import Module
from fairmot_dla34.backends.paddledet import MODEL_CONFIG

SIZE = (608, 1088)  # height, width
TRANSFORMS = [
    {"Decode": {}},
    {"LetterBoxResize": {"target_size": list(SIZE)}},
    {"NormalizeImage": {"mean": [0, 0, 0], "std": [1, 1, 1], "is_scale": True}},
    {"Permute": {}},
]
TRACKER = {
    "conf_thres": 0.4,
    "tracked_thresh": 0.4,
    "metric_type": "cosine",
    "min_box_area": 200,
    "vertical_ratio": 1.6,
}


def paddledetection(weights: str, images: Path, results: Path) -> Callable[[], None]:
    """Load PaddleDetection's tracker as its `tools/infer_mot.py` does; return one run over the folder."""
    import paddle

    paddle.set_flags({"FLAGS_paddle_num_threads": os.cpu_count() or 1})
    import ppdet.data
    import ppdet.modeling  # noqa: F401 (registers the classes that the config names)
    from ppdet.core.workspace import global_config, merge_config
    from ppdet.data.source.mot import MOTImageFolder
    from ppdet.engine import Tracker

    merge_config(
        {
            **MODEL_CONFIG,
            "num_classes": 1,
            "metric": "MOT",
            "JDETracker": TRACKER,
            "TestMOTDataset": MOTImageFolder(keep_ori_im=True),
            "TestMOTReader": {
                "sample_transforms": TRANSFORMS,
                "batch_size": 1,
                "inputs_def": {"image_shape": [3, *SIZE]},
            },
        }
    )
    tracker = Tracker(global_config, mode="test")
    # Its own load_weights_jde refuses checkpoints without the classifier, which only training uses.
    tracker.model.set_state_dict(paddle.load(weights))

    def run() -> None:
        tracker.dataset.roidbs = None
        tracker.mot_predict_seq(
            None, 10, str(images), str(results), data_type="mot", model_type="FairMOT", save_videos=False
        )

    return run


def ours(weights: str, images: Path, results: Path, precision: str, *, video: bool) -> Callable[[], None]:
    """Load our module; return one run over the folder."""
    module = Module(weights=weights, precision=precision)

    def run() -> None:
        module.tracking(images, results, video, frame_rate=10, progress=False)

    run()  # loads the network
    return run


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--frames", type=int, default=6, help="pictures a turn; default 6")
    parser.add_argument("--turns", type=int, default=5, help="default 5")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip"
        clip.mkdir()
        for picture in sorted(arguments.images.iterdir())[: arguments.frames]:
            shutil.copy(picture, clip)
        results = Path(folder) / "results"
        runs = {
            "PaddleDetection": paddledetection(arguments.weights, clip, results),
            "fp32": ours(arguments.weights, clip, results, "fp32", video=False),
            "auto": ours(arguments.weights, clip, results, "auto", video=False),
            "auto, video": ours(arguments.weights, clip, results, "auto", video=True),
        }
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(arguments.turns):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                seconds[name].append((time.perf_counter() - start) / arguments.frames)
    print_table(seconds)


def print_table(seconds: dict[str, list[float]]) -> None:
    """Print medians, spread and ratios to the first row, turn by turn."""
    reference = next(iter(seconds.values()))
    print("| end to end, 1088x608 | s/frame, median (min to max) | frames/s | times faster, median (min to max) |")
    print("|---|---|---|---|")
    for name, values in seconds.items():
        ratios: list[Any] = [slow / fast for slow, fast in zip(reference, values, strict=True)]
        print(
            f"| {name} | {statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f}) "
            f"| {1 / statistics.median(values):.2f} "
            f"| {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) |"
        )


if __name__ == "__main__":
    main()
