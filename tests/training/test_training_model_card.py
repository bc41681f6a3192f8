"""Model cards: whoever gets the weights learns their data, scores, licence and use."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
from small_dataset import make_small_dataset

from fairmot_dla34.config import InputSize
from fairmot_dla34.datasets import Dataset
from fairmot_dla34.errors import OutputError
from fairmot_dla34.training.records.card_facts import CardFacts, DataFacts, package_versions
from fairmot_dla34.training.records.model_card import write_model_card

STREET = DataFacts("street", "train", "mot17", 1200, 9000, 54, "0123456789abcdef" * 4)
FACTS = CardFacts(
    architecture="FairMOT DLA-34",
    classes=("person",),
    input_size=InputSize(576, 320),
    training=(STREET,),
    validation=(dataclasses.replace(STREET, part="val", images=300, boxes=2000, identities=20),),
    start="sample",
    start_digest="ab" * 32,
    settings={"batch_size": "2", "lr": "0.0001", "loss": "paper,giou"},
    scores={
        "start": {"hota": 30.0, "mota": -3.25, "id_switches": 40.0},
        "best": {"hota": 52.04, "mota": 61.0, "id_switches": 3.0},
        "last": {"hota": 51.0, "mota": 60.0, "id_switches": 4.0},
    },
    steps=1200,
    epochs=2.04,
    seconds=1234.0,
    device="CPU, 2 threads",
    processes=1,
    command=["fairmot_dla34", "train", "--data", "my data", "--minutes", "20"],
    chosen_by="hota",
    why_missing={"map_id": "The data has no identities.", "tpr_far": "The data has no identities."},
    versions={"fairmot_dla34": "2.0.0", "torch": "2.13.0"},
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "best.pdparams"
    path.write_bytes(b"weights")
    return path


def card(weights: Path, facts: CardFacts = FACTS) -> str:
    path = weights.with_suffix(".md")
    write_model_card(path, weights, facts)
    return path.read_text("utf-8")


def test_the_card_has_every_fact(weights: Path) -> None:
    text = card(weights)
    for line in (
        "# `best.pdparams`: weights trained with fairmot_dla34",
        f"- file: 7 bytes, SHA-256 `{hashlib.sha256(b'weights').hexdigest()}`",
        "- network input: 576x320",
        "fairmot_dla34 track VIDEO --weights best.pdparams --output-dir out",
        "| `street` | training | `mot17` | 1200 | 9000 | 54 | `0123456789abcdef` |",
        "| `street` | validation | `mot17` | 300 | 2000 | 20 | `0123456789abcdef` |",
        "| weights | HOTA | MOTA | ID switches |",
        "| start weights | 30.0 | -3.2 | 40 |",
        "| best | 52.0 | 61.0 | 3 |",
        "Best is by HOTA.",
        "Not computed: identity mAP, TPR at FAR 0.1. The data has no identities.",
        f"- start: `sample`, SHA-256 `{'ab' * 32}`",
        "- length: 1200 steps, 2.0 passes over the training images",
        "- duration: 20 min 34 s, validation included",
        "- device: CPU, 2 threads, 1 process",
        "- versions: fairmot_dla34 2.0.0, torch 2.13.0",
        "| `loss` | `paper,giou` |",
        "fairmot_dla34 train --data 'my data' --minutes 20",
        "## Licence",
        "## Limits",
    ):
        assert line in text.splitlines()


def test_a_run_without_start_and_validation_says_so(weights: Path) -> None:
    text = card(
        weights,
        dataclasses.replace(
            FACTS,
            start=None,
            start_digest=None,
            validation=(),
            scores={},
            chosen_by=None,
            why_missing={},
            versions={},
            processes=2,
        ),
    )
    assert "- start: random numbers" in text
    assert "These weights were not validated." in text
    assert "2 processes" in text
    assert "validation |" not in text


def test_changed_labels_are_mentioned(weights: Path) -> None:
    edited = dataclasses.replace(STREET, is_edited=True)
    assert "The labels of `street` were changed" in card(weights, dataclasses.replace(FACTS, training=(edited,)))


def test_text_from_outside_cannot_leave_its_place(weights: Path) -> None:
    """Names of datasets and classes come from files of others."""
    hostile = "a`b|c\n# heading <script>\x1b[31m"
    facts = dataclasses.replace(
        FACTS,
        classes=(hostile, ""),
        training=(dataclasses.replace(STREET, name=hostile, source_format=hostile),),
        start=hostile,
        settings={"data": hostile},
        command=["fairmot_dla34", "```\n# heading"],
        device=hostile,
    )
    text = card(weights, facts)
    assert not [line for line in text.splitlines() if line.startswith("# ") and "best.pdparams" not in line]
    assert "\x1b" not in text
    row = next(line for line in text.splitlines() if "| training |" in line)
    assert row.count("|") == 8
    assert row.count("`") == 6
    assert "````\nfairmot_dla34 " in text


def test_weights_that_are_missing_are_reported(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"best\.md cannot be written \(No such file"):
        write_model_card(tmp_path / "best.md", tmp_path / "best.pdparams", FACTS)


def test_versions_are_those_of_the_installed_packages() -> None:
    import numpy as np

    assert package_versions()["numpy"] == np.__version__


def test_facts_of_data_are_those_of_the_prepared_dataset(tmp_path: Path) -> None:
    dataset = Dataset.open(make_small_dataset(tmp_path, val=0.25))
    facts = DataFacts.of(dataset, "train")
    labels = [dataset.labels(image) for image in dataset.images("train")]
    assert (facts.name, facts.part, facts.source_format, facts.digest) == (dataset.name, "train", "mot", dataset.digest)
    assert (facts.images, facts.boxes) == (len(labels), sum(map(len, labels)))
    assert facts.identities == len({number for boxes in labels for number in boxes.ids.tolist()})
    assert not facts.is_edited
