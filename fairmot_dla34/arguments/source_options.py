"""The options of the source and of the outputs."""

from __future__ import annotations

from ..outputs import find_sink, sink_names
from ..outputs.crop_sink import check_crop_interval
from ..tracking.options import OutputOptions, SourceOptions
from .options import Option, Switch
from .readers import checked_by


def source_options() -> tuple[Option | Switch, ...]:
    """Return the options for reading the source."""
    return (
        Option(
            "frame_rate",
            "FPS",
            "frames per second of the source, if it states none or a wrong one",
            checked_by(SourceOptions, "frame_rate", float),
            shown_default="what the source states, else 30",
        ),
        Option(
            "frame_stride", "N", "track every N-th frame", checked_by(SourceOptions, "frame_stride", int), default=1
        ),
        Switch(
            "newest_frame",
            {
                "newest_frame": (
                    True,
                    "leave frames out if the network is too slow; default: only for cameras, RTSP and HTTP motion JPEG",
                ),
                "every_frame": (False, "track every frame, however late; default: for files only"),
            },
            "leave out frames that the network is too slow for",
            default=None,
            shown_default="for cameras and live streams only",
        ),
    )


def output_options() -> tuple[Option | Switch, ...]:
    """Return the options of the outputs."""
    return (
        Option(
            "output_dir",
            "D",
            "folder for mot_results/ and mot_outputs/",
            checked_by(OutputOptions, "output_dir"),
            default="",
            shown_default="the current one",
        ),
        Option(
            "name",
            "NAME",
            "name of the files, without an ending",
            checked_by(OutputOptions, "name"),
            shown_default="the name of the source",
        ),
        Switch(
            "overwrite",
            {"overwrite": (True, "replace results of another source that have the same name; default: refuse")},
            "replace results of another source that have the same name",
        ),
        Option(
            "formats",
            "F,...",
            f"outputs, separated by commas, of {', '.join(sink_names())}",
            _sink_list,
            default=("mot",),
            shown_default="mot",
        ),
        Switch(
            "visualization",
            {"no_visualization": (False, "write no video, unless --formats has video; default: one is written")},
            "write a video",
            default=True,
        ),
        Option(
            "fill_gaps",
            "N",
            "fill gaps of up to N tracked frames in a track, 0 to 300",
            checked_by(OutputOptions, "fill_gaps", int),
            default=0,
        ),
        *drawing_options(),
        *people_options(),
    )


def people_options() -> tuple[Option | Switch, ...]:
    """Return the options of outputs about single people, and of the window."""
    return (
        Option(
            "anonymise",
            "WHO",
            "pixelate heads, people, except:ID[,ID] or only:ID[,ID] in all images written and shown",
            checked_by(OutputOptions, "anonymise"),
            shown_default="nobody",
        ),
        Option(
            "follow",
            "ID",
            "write a second video that follows the person of this id",
            checked_by(OutputOptions, "follow", int),
            shown_default="none",
        ),
        Switch(
            "save_crops",
            {"save_crops": (True, "write crops of each person, one folder per id; default: none are written")},
            "write crops of each person, one folder per id",
        ),
        Option(
            "crop_interval_s",
            "SECONDS",
            "seconds between two crops of a person with --save-crops, 0 for every frame",
            _crop_interval,
            shown_default="1",
            spelled="crop_interval",
        ),
        Switch(
            "show",
            {"show": (True, "show the frames in a window: q quits, space pauses, s saves a frame; default: no window")},
            "show the frames in a window",
        ),
    )


def drawing_options() -> tuple[Option | Switch, ...]:
    """Return the options of the video with boxes."""
    return (
        Option(
            "draw_threshold",
            "T",
            "smallest score that is drawn, 0 to 1; text outputs keep every track",
            checked_by(OutputOptions, "draw_threshold", float),
            default=OutputOptions.draw_threshold,
        ),
        Option(
            "labels",
            "L",
            "text beside a box: id, score (id and score), none, or auto (only the id of a small person)",
            checked_by(OutputOptions, "labels"),
            default=OutputOptions.labels,
        ),
        Option(
            "line_width",
            "N",
            "width of the lines in px of the image",
            checked_by(OutputOptions, "line_width", int),
            shown_default="chosen by the size of the box",
        ),
    )


def _crop_interval(text: str) -> float | None:
    """Read the seconds between two crops."""
    try:
        return check_crop_interval(float(text))
    except ValueError:  # also an InvalidInputError, which this repeats
        return check_crop_interval(text)


def _sink_list(text: str) -> tuple[str, ...]:
    """Read names of sinks, separated by commas."""
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        find_sink(name)
    return names
