"""The options of the network and of the association."""

from __future__ import annotations

from ..association import TrackerConfig, find_method, method_names
from ..backends import PRECISIONS, BackendOptions, backend_names
from ..config import DEFAULT_WEIGHTS
from .options import Option, Switch
from .readers import checked_by, input_size, one_of

NETWORK = (
    Option(
        "weights",
        "W",
        "registered name, or a .pdparams, .pth, .ckpt or .npz file; see fairmot_dla34 weights list",
        default=DEFAULT_WEIGHTS,
    ),
    Option(
        "input_size",
        "WxH",
        "network input in px, two multiples of 32 such as 576x320",
        input_size,
        shown_default="the size the weights were trained for",
    ),
)


def network_options() -> tuple[Option | Switch, ...]:
    """Return the options that choose the network and how it runs."""
    return (
        *NETWORK,
        Option(
            "backend",
            "B",
            f"one of {', '.join(backend_names())}",
            one_of("backend", backend_names),
            default="auto",
            shown_default="auto, which is openvino without a GPU",
        ),
        Option(
            "precision",
            "P",
            f"one of {', '.join(PRECISIONS)}; int8 needs the verb quantize first",
            checked_by(BackendOptions, "precision"),
            default="auto",
            shown_default="auto, which is bf16 if the CPU has it, else fp32",
        ),
        Option(
            "threads",
            "N",
            "CPU threads for the network, 1 to 1024",
            checked_by(BackendOptions, "threads", int),
            shown_default="all that this process may use",
        ),
        Switch(
            "use_gpu",
            {"use_gpu": (True, "run on a GPU; an error if there is none; default: on the CPU")},
            "run on a GPU",
        ),
    )


def tracker_options() -> tuple[Option | Switch, ...]:
    """Return the options of the association."""
    return (
        Option(
            "tracker",
            "M",
            f"association method, one of {', '.join(method_names())}",
            one_of("tracker", method_names),
            shown_default=TrackerConfig.method,
        ),
        Option(
            "conf_thres",
            "T",
            "score from 0 to 1 above which a detection is tracked",
            checked_by(TrackerConfig, "conf_thres", float),
            shown_default="auto measures it in the video; 0.4 with jde and byte",
            spelled="conf",
        ),
        Option(
            "lost_buffer_s",
            "SECONDS",
            "time a lost person is remembered in s",
            checked_by(TrackerConfig, "lost_buffer_s", float),
            shown_default=", ".join(f"{name} {find_method(name).lost_buffer_s:g}" for name in method_names()),
            spelled="lost_buffer",
        ),
        Option(
            "reid_buffer_s",
            "SECONDS",
            "time after the lost buffer in s in which people who come back get their old id if embeddings leave no "
            "doubt; with auto only",
            checked_by(TrackerConfig, "reid_buffer_s", float),
            shown_default="0, never",
            spelled="reid_buffer",
        ),
        Switch(
            "use_embeddings",
            {"no_embeddings": (False, "match by boxes only, for people dressed alike; not with jde; default: by both")},
            "match by embeddings too",
            default=None,
            shown_default="True",
        ),
        Option(
            "config",
            "FILE",
            "TOML file whose table [tracker] has settings of TrackerConfig by name; options have priority",
            shown_default="none",
        ),
    )
