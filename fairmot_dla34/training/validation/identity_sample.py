"""Identity figures from the embeddings of labelled people in a fixed sample of the validation images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ...config import InputSize
from ...datasets.prepared.dataset import DatasetImage
from ...datasets.values import NO_IDENTITY, ImageLabels
from ...geometry import Letterbox
from ..network.fairmot import FairMOTNetwork
from .data import LabelledPositions, ValidationSequence, spread
from .retrieval import Retrieval, retrieval
from .torch_backend import backend_info, image_tensor, inference

CPU_IMAGES, GPU_IMAGES = 16, 512  # images of the sample: a second pass of the network, which is slow on a CPU
MAX_BOXES = 4000  # 8 million pairs
IMAGES_PER_SEQUENCE = 8  # at least, if it has as many: the figures need several images of a person


class IdentitySample:
    """A sample of the labelled people of the validation, the same for every network.

    Args:
        sequences: Sequences to validate on.
        positions: Positions of the images with identities.
        input_size: Network input.
        device: Device of the network; on the CPU the sample is smaller.
    """

    def __init__(
        self,
        sequences: Sequence[ValidationSequence],
        positions: LabelledPositions,
        input_size: InputSize,
        device: torch.device,
    ) -> None:
        self._input_size, self._device, self._sequences = input_size, device, sequences
        self._total = sum(map(len, positions.with_identities))
        limit = GPU_IMAGES if device.type == "cuda" else CPU_IMAGES
        self._images = [
            (gallery, positions.with_identities[gallery][place])
            for gallery, place in spread_sample([len(places) for places in positions.with_identities], limit)
        ]

    def figures(self, network: FairMOTNetwork) -> tuple[Retrieval, str]:
        """Return the figures of a network in eval mode, and a description of the boxes they were computed from.

        The embedding of a person is the one at the centre of the labelled box, as in training.

        Raises:
            DatasetError: An image or a file of labels cannot be read.
            BackendError: The network fails on an image.
            OutOfMemoryError: There is too little memory.
        """
        embeddings = [np.empty((0, network.sizes.embedding_size), np.float32)]
        identities, galleries = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        boxes = 0
        for gallery, position in self._images:
            sequence = self._sequences[gallery]
            image = sequence.sequence.images[position]
            cells, ids = _cells(sequence.dataset.labels(image), image, self._input_size, network.architecture.stride)
            cells, ids = cells[: MAX_BOXES - boxes], ids[: MAX_BOXES - boxes]
            if not len(ids):
                continue
            embeddings.append(self._embeddings(network, sequence.dataset.read_image(image), cells))
            # Identities of different datasets are different people.
            identities.append(ids + self._first_identity(gallery))
            galleries.append(np.full(len(ids), gallery, np.int64))
            boxes += len(ids)
        found = np.concatenate(identities)
        text = (
            f"{boxes} boxes of {len(np.unique(found))} identities in {len(identities) - 1} of the {self._total} images "
            "with identities"
        )
        return retrieval(np.concatenate(embeddings), found, np.concatenate(galleries)), text

    def _first_identity(self, gallery: int) -> int:
        datasets = list(dict.fromkeys(sequence.dataset for sequence in self._sequences))
        before = datasets[: datasets.index(self._sequences[gallery].dataset)]
        return sum(dataset.num_identities for dataset in before)

    def _embeddings(
        self, network: FairMOTNetwork, image: NDArray[np.uint8], cells: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        height, width = image.shape[:2]
        letterboxed = Letterbox(width, height, self._input_size).apply(image)
        with inference(backend_info(self._device)):
            outputs = network(image_tensor(letterboxed, self._device), torch.from_numpy(cells).to(self._device))
        embeddings: NDArray[np.float32] = outputs.embedding.float().cpu().numpy()
        return embeddings


def spread_sample(lengths: Sequence[int], images: int) -> list[tuple[int, int]]:
    """Choose images that are spread over sequences, and over the length of each.

    Args:
        lengths: Images of each sequence; sequences of length 0 are not chosen.
        images: Largest number to choose.

    Returns:
        Pairs of a sequence and the position of an image in it, in order. If there are many sequences, some are left
        out, so that the others keep `IMAGES_PER_SEQUENCE` images.
    """
    filled = [sequence for sequence, length in enumerate(lengths) if length]
    longest = max((lengths[sequence] for sequence in filled), default=1)
    chosen = [filled[place] for place in spread(len(filled), max(1, images // min(longest, IMAGES_PER_SEQUENCE)))]
    sample: list[tuple[int, int]] = []
    for place, sequence in enumerate(chosen):
        share = (images - len(sample)) // (len(chosen) - place)  # short sequences leave more to later ones
        sample += [(sequence, position) for position in spread(lengths[sequence], share)]
    return sample


def _cells(
    labels: ImageLabels, image: DatasetImage, input_size: InputSize, stride: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return ``(P, 3)`` image 0, row and column of the centres of people with identities, and ``(P,)`` identities.

    People whose centre is outside the image are left out.
    """
    people = labels.ids != NO_IDENTITY
    centres = (labels.boxes[people, :2] + labels.boxes[people, 2:]) / 2
    inside = ((centres >= 0) & (centres < (image.width, image.height))).all(axis=1)
    points = np.concatenate([centres, centres], axis=1)[inside]
    network_px = Letterbox(image.width, image.height, input_size).to_network_px(points)[:, :2]
    largest = (input_size.width // stride - 1, input_size.height // stride - 1)
    columns, rows = np.clip(np.floor(network_px / stride), 0, largest).astype(np.int64).T
    return np.stack([np.zeros_like(rows), rows, columns], axis=1), labels.ids[people][inside]
