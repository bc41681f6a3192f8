"""Settings of the distillation losses. Importing this module needs no PyTorch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from ...config import check_amount, check_choice
from ...errors import InvalidInputError

_HIGHEST_WEIGHT = 1e6


@dataclass(frozen=True)
class DistillationConfig:
    """Weights of the losses against a teacher's outputs; 0 leaves a loss out.

    Attributes:
        heatmap: Divergence of the heatmap from the teacher's.
        features: Divergence of the feature map below the heads, channel by channel (arXiv 2011.13256).
        cosine: 1 minus the cosine of each embedding with the teacher's.
        relations: Difference of the cosines between the embeddings of a batch.
        boxes: 1 - GIoU with the teacher's boxes, and the relative distance of their sides.

    Raises:
        InvalidInputError: A weight is not a number from 0 to 1e6, or all are 0.
    """

    heatmap: float = 1.0
    features: float = 1.0
    cosine: float = 1.0
    relations: float = 1.0
    boxes: float = 2.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            weight = check_amount(f"distillation {name}", value)
            if weight > _HIGHEST_WEIGHT:
                raise InvalidInputError(f"distillation {name} is {weight:g}; expected a weight from 0 to 1e6.")
            object.__setattr__(self, name, weight)
        if not any(asdict(self).values()):
            raise InvalidInputError("distillation has only weights of 0; expected one above 0, or no teacher.")

    @classmethod
    def parse(cls, text: str) -> DistillationConfig:
        """Read weights by name, such as ``features=0,boxes=1``; losses without one keep their default.

        Raises:
            InvalidInputError: A name is unknown or given twice, or a weight is not a number from 0 to 1e6.
        """
        weights: dict[str, float] = {}
        for entry in text.split(","):
            name, _, value = (part.strip() for part in entry.partition("="))
            check_choice("distillation", name, DISTILLATION_LOSSES)
            if name in weights:
                raise InvalidInputError(f"distillation has {name} twice; expected each loss once.")
            try:
                weights[name] = float(value)
            except ValueError:
                raise InvalidInputError(
                    f"distillation is {text!r}; expected names with weights, such as features=0,boxes=1."
                ) from None
        return cls(**weights)

    def __str__(self) -> str:
        return ",".join(f"{name}={weight:g}" for name, weight in asdict(self).items())


DISTILLATION_LOSSES = tuple(field.name for field in fields(DistillationConfig))
