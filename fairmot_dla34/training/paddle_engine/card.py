"""Model cards of weights that PaddleDetection trained."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from ...architectures import find_architecture
from ...datasets import Dataset
from ..config import TrainingConfig
from ..folder import BEST_FILE, LAST_FILE
from ..records.card_facts import CardFacts, DataFacts, package_versions
from ..records.model_card import write_model_card
from .configuration import RunSettings
from .snapshots import Position

_WHY_MISSING = (
    "PaddleDetection does not validate FairMOT while it trains; best.pdparams is from the epoch with the lowest mean "
    "training loss."
)


def write_cards(
    run: Path,
    config: TrainingConfig,
    settings: RunSettings,
    datasets: Sequence[Dataset],
    position: Position,
    threads: int,
) -> None:
    """Write ``best.md`` and ``last.md``.

    Args:
        run: Folder of the run.
        config: Settings as they were given.
        settings: Settings after the defaults were filled in.
        datasets: Training data.
        position: End of the run.
        threads: CPU threads of the run.

    Raises:
        OutputError: A card cannot be written.
    """
    steps_per_epoch = position.step // max(1, position.epoch)
    versions = {name: number for name, number in package_versions().items() if name != "torch"}
    for file, epochs in ((BEST_FILE, position.best_epoch), (LAST_FILE, position.epoch)):
        facts = CardFacts(
            architecture=find_architecture("dla34").title,
            classes=datasets[0].classes,
            input_size=settings.input_size,
            training=[DataFacts.of(dataset, "train") for dataset in datasets],
            validation=[],
            start=None if config.weights is None else str(config.weights),
            start_digest=None,
            settings={"engine": "paddle", **{name: str(value) for name, value in vars(settings).items()}},
            scores={},
            steps=epochs * steps_per_epoch,
            epochs=float(epochs),
            seconds=position.elapsed_s,
            device="GPU" if settings.use_gpu else f"CPU, {threads} thread{'s' if threads > 1 else ''}",
            processes=1,
            command=sys.argv,
            why_missing={"loss": _WHY_MISSING},
            versions={**versions, "paddlepaddle": _paddle_version(), "paddledet": version("paddledet")},
        )
        weights = run / file
        write_model_card(weights.with_suffix(".md"), weights, facts)


def _paddle_version() -> str:
    import paddle

    return str(paddle.__version__)
