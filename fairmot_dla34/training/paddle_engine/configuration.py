"""PaddleDetection's configuration of a run: the values of fairmot_dla34_30e_1088x608.yml with those of the run.

The wheel of PaddleDetection 2.6 has no configuration files. The one written here includes no other file, so that
PaddleDetection's ``tools/train.py -c config.yml`` runs it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...architectures import HeadSizes, find_architecture
from ...backends.paddledet_config import model_config
from ...config import InputSize
from .data_folder import LIST_NAME, LinkedData

CONFIG_FILE = "config.yml"
BASE_RATE = 1e-4  # optimizer_30e.yml
MAX_OBJECTS = 500  # Gt2FairMOTTarget's default


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run after the defaults are filled in.

    Attributes:
        input_size: Network input in px.
        epochs: Passes over the training images.
        batch_size: Images of a step.
        lr: Learning rate of the first two thirds of the run; a tenth of it afterwards.
        seed: Seed of all random choices.
        use_gpu: Train on the first GPU.
        embedding_size: Numbers in an embedding.
    """

    input_size: InputSize
    epochs: int
    batch_size: int
    lr: float
    seed: int
    use_gpu: bool
    embedding_size: int


def make_configuration(settings: RunSettings, data: LinkedData, run: Path, start: Path | None) -> dict[str, Any]:
    """Return the configuration as plain values.

    Args:
        settings: Settings of the run.
        data: Training data.
        run: Folder of the run.
        start: Start weights in PaddleDetection's format, or None.
    """
    return {
        **model_config(find_architecture("dla34"), HeadSizes(embedding_size=settings.embedding_size)),
        "JDETracker": {"conf_thres": 0.4, "tracked_thresh": 0.4, "metric_type": "cosine"},
        "metric": "MOT",
        "use_gpu": settings.use_gpu,
        "log_iter": 20,
        "print_flops": False,
        "save_dir": str(run.absolute()),
        "snapshot_epoch": 1,
        "pretrain_weights": None if start is None else str(start.absolute()),
        "worker_num": 4 if settings.use_gpu else 0,  # of tools/train.py; this package loads images in a thread
        "epoch": settings.epochs,
        "LearningRate": {
            "base_lr": settings.lr,
            "schedulers": [
                {
                    "name": "PiecewiseDecay",
                    "gamma": 0.1,
                    "milestones": [max(1, round(settings.epochs * 2 / 3))],  # 20 of 30 in optimizer_30e.yml
                    "use_warmup": False,
                }
            ],
        },
        "OptimizerBuilder": {"optimizer": {"type": "Adam"}, "regularizer": None},
        **_data(settings, data),
    }


def write_configuration(path: Path, configuration: dict[str, Any]) -> str:
    """Write the configuration as YAML, and return the text.

    Raises:
        OutputError: The file cannot be written.
    """
    import yaml  # type: ignore[import-untyped]  # a dependency of PaddleDetection

    from ...files import output_error, write_whole

    text: str = yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True)
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise output_error(path, error) from error
    return text


def _data(settings: RunSettings, data: LinkedData) -> dict[str, Any]:
    """Return dataset and readers: mot.yml and fairmot_reader_1088x608.yml."""
    shape = [settings.input_size.height, settings.input_size.width]
    # One entry each: YAML would write references to shared ones.
    evaluated: list[dict[str, Any]] = [
        {"Decode": {}},
        {"LetterBoxResize": {"target_size": [*shape]}},
        {"NormalizeImage": {"mean": [0, 0, 0], "std": [1, 1, 1]}},
        {"Permute": {}},
    ]
    return {
        "TrainDataset": {
            "name": "MOTDataSet",
            "dataset_dir": str(data.folder.absolute()),
            "image_lists": [LIST_NAME],
            "data_fields": ["image", "gt_bbox", "gt_class", "gt_ide"],
        },
        "TrainReader": {
            "inputs_def": {"image_shape": [3, *shape]},
            "sample_transforms": [
                {"Decode": {}},
                {"RGBReverse": {}},
                {"AugmentHSV": {}},
                {"LetterBoxResize": {"target_size": [*shape]}},
                {"MOTRandomAffine": {"reject_outside": False}},
                {"RandomFlip": {}},
                {"BboxXYXY2XYWH": {}},
                {"NormalizeBox": {}},
                {"NormalizeImage": {"mean": [0, 0, 0], "std": [1, 1, 1]}},
                {"RGBReverse": {}},
                {"Permute": {}},
            ],
            "batch_transforms": [{"Gt2FairMOTTarget": {"max_objs": max(MAX_OBJECTS, data.most_boxes)}}],
            "batch_size": settings.batch_size,
            "shuffle": True,
            "drop_last": True,
            "use_shared_memory": True,
        },
        "TestReader": {"sample_transforms": evaluated, "batch_size": 1},
    }
