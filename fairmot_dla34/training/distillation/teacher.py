"""Protocol of teachers: objects that are called with images and return what they know about them.

`fairmot_teacher.py` has the teacher that is a FairMOT network. Others, such as a vision transformer whose features the
student is to learn, need not derive from anything: see docs/extending.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from ...config import InputSize, shown
from ...errors import InvalidInputError


@dataclass(frozen=True, eq=False)
class TeacherOutputs:
    """Outputs of a teacher for B images; None for each output that it does not have. P is the number of its boxes.

    Attributes:
        heatmap: ``(B, classes, h, w)`` scores in [0, 1] for a centre of a person in a cell. The cells divide the
            teacher's input evenly, here and in ``features``.
        features: ``(B, C, h, w)`` feature map, of any resolution.
        boxes: ``(P, 4)`` xyxy of the people of whom the teacher is sure, px of its input.
        images: ``(P,)`` int64 image of each box, from 0; needed with boxes.
        scores: ``(P,)`` scores of the boxes in [0, 1]; None: all are 1.
        class_ids: ``(P,)`` int64 classes of the boxes; None: all are 0.
        points: ``(P, 2)`` x and y at which the student is to find each box, px of the teacher's input; None: the
            centres of the boxes.
        embeddings: ``(P, E)`` embeddings of any length; only with boxes.
    """

    heatmap: Tensor | None = None
    features: Tensor | None = None
    boxes: Tensor | None = None
    images: Tensor | None = None
    scores: Tensor | None = None
    class_ids: Tensor | None = None
    points: Tensor | None = None
    embeddings: Tensor | None = None


class Teacher(Protocol):
    """A frozen network that knows about images. It may also have the attributes that `teacher_facts` reads."""

    def __call__(self, images: Tensor, /) -> TeacherOutputs:
        """Return what the teacher knows.

        Args:
            images: ``(B, 3, H, W)`` float32 RGB in [0, 1], on the device of the run; no gradients are computed.
        """


@dataclass(frozen=True)
class TeacherFacts:
    """Facts about a teacher for saved states and model cards.

    Attributes:
        name: Name; the teacher's attribute ``name``, otherwise the name of its class.
        digest: Hexadecimal SHA-256: the attribute ``digest``, or that of a module's arrays; "" if unknown.
        input_size: Images that it takes: the attribute ``input_size``; None: those of the student.
    """

    name: str
    digest: str
    input_size: InputSize | None

    def __str__(self) -> str:
        return f"{self.name}, SHA-256 {self.digest[:16]}" if self.digest else self.name


def teacher_facts(teacher: Teacher) -> TeacherFacts:
    """Return the facts about a teacher.

    Raises:
        InvalidInputError: It cannot be called, or its input size is not one.
    """
    if not callable(teacher):
        raise InvalidInputError(
            f"teacher is {shown(teacher)}; expected an object that is called with images, or a name as "
            "TrainingConfig.teacher."
        )
    size = getattr(teacher, "input_size", None)
    digest = getattr(teacher, "digest", None)
    if digest is None:
        digest = _module_digest(teacher) if isinstance(teacher, nn.Module) else ""
    name = getattr(teacher, "name", None) or type(teacher).__name__
    return TeacherFacts(str(name), str(digest), None if size is None else InputSize.parse(size))


def check_outputs(outputs: object, name: str, batch: int) -> TeacherOutputs:
    """Check the shapes of a teacher's outputs, and that they are numbers.

    Args:
        outputs: What the teacher returned.
        name: Name of the teacher.
        batch: Number of images.

    Raises:
        InvalidInputError: They are not those described in `TeacherOutputs`.
    """
    if not isinstance(outputs, TeacherOutputs):
        raise InvalidInputError(f"Teacher {name} returned {shown(outputs)}; expected TeacherOutputs.")
    for field, value, expected in _expected_shapes(outputs, batch):
        if value is None:
            continue
        shape = tuple(value.shape) if isinstance(value, Tensor) else ()
        fits = len(shape) == len(expected) and all(
            want in {have, -1} for want, have in zip(expected, shape, strict=True)
        )
        if not isinstance(value, Tensor) or not fits:
            found = f"of shape {shape}" if isinstance(value, Tensor) else f"as {shown(value)}"
            text = ", ".join("any" if want == -1 else str(want) for want in expected)
            raise InvalidInputError(f"Teacher {name} returned {field} {found}; expected a tensor ({text}).")
        if not bool(torch.isfinite(value).all()):
            raise InvalidInputError(
                f"Teacher {name} returned {field} with NaN or infinite numbers; expected finite ones: use another "
                "teacher, or --precision fp32."
            )
    if outputs.boxes is not None and outputs.images is None:
        raise InvalidInputError(f"Teacher {name} returned boxes without images; expected the image of each box.")
    if outputs.boxes is not None and outputs.images is not None and len(outputs.images):
        low, high = int(outputs.images.min()), int(outputs.images.max())
        if low < 0 or high >= batch:
            raise InvalidInputError(
                f"Teacher {name} returned images from {low} to {high}; expected numbers from 0 to {batch - 1}."
            )
    return outputs


def _expected_shapes(outputs: TeacherOutputs, batch: int) -> Iterator[tuple[str, object, tuple[int, ...]]]:
    number = len(outputs.boxes) if isinstance(outputs.boxes, Tensor) and outputs.boxes.dim() else 0
    yield "heatmap", outputs.heatmap, (batch, -1, -1, -1)
    yield "features", outputs.features, (batch, -1, -1, -1)
    yield "boxes", outputs.boxes, (-1, 4)
    yield "images", outputs.images, (number,)
    yield "scores", outputs.scores, (number,)
    yield "class_ids", outputs.class_ids, (number,)
    yield "points", outputs.points, (number, 2)
    yield "embeddings", outputs.embeddings, (number, -1)


def _module_digest(module: nn.Module) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if isinstance(tensor, Tensor):
            array = tensor.detach().cpu().contiguous().flatten()
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            digest.update(array.view(torch.uint8).numpy().tobytes() if array.numel() else b"")
    return digest.hexdigest()
