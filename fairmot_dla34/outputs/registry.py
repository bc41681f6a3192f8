"""The registry of sinks: finds a kind of output by its name. Importing it loads neither PyAV nor OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import InvalidInputError
from ..registry import Registry
from .sink import TEXT_FOLDER, VIDEO_FOLDER, Sink, SinkContext, SinkKind
from .text_formats import CsvSink, JsonlSink, KittiSink, MotSink
from .video_sink import VideoSink

_KINDS: Registry[SinkKind] = Registry("Output format")


def register_sink(kind: SinkKind) -> None:
    """Make a kind of output available under its name, to Python and to the command line.

    Args:
        kind: Description of the sink.

    Raises:
        InvalidInputError: The name is taken, or another kind writes files of the same names.
    """
    for other in _KINDS:
        if kind.name != other.name and (kind.folder, kind.suffix) == (other.folder, other.suffix):
            raise InvalidInputError(
                f"Sink {kind.name!r} writes {kind.folder}/<name>{kind.suffix}, as sink {other.name!r} does; expected"
                " another folder or suffix."
            )
    _KINDS.register(kind)


def unregister_sink(name: str) -> None:
    """Remove a kind of output; nothing happens if the name is not registered."""
    _KINDS.unregister(name)


def find_sink(name: str) -> SinkKind:
    """Return the kind of output registered under ``name``.

    Raises:
        InvalidInputError: No sink of that name is registered; the message lists the names.
    """
    return _KINDS.find(name)


def as_sink_kind(kind: SinkKind | str) -> SinkKind:
    """Return a kind of output itself, or the one registered under a name.

    Raises:
        InvalidInputError: No sink of that name is registered; the message lists the names.
    """
    return kind if isinstance(kind, SinkKind) else find_sink(kind)


def sink_names() -> tuple[str, ...]:
    """Return the names of all registered sinks, in order of registration."""
    return _KINDS.names()


def _open_video(path: Path, context: SinkContext) -> VideoSink:
    return VideoSink(
        path,
        frame_rate=context.frame_rate,
        draw_threshold=context.draw_threshold,
        draw_on_frames=context.draw_on_frames,
        labels=context.labels,
        line_width=context.line_width,
        class_names=context.class_names,
        analysis=context.analysis,
    )


def _register_text(name: str, suffix: str, opened: Callable[[Path, SinkContext], Sink]) -> None:
    register_sink(SinkKind(name, TEXT_FOLDER, suffix, needs_images=False, open=opened))


_register_text("mot", ".txt", lambda path, context: MotSink(path, context.class_names))
_register_text("jsonl", ".jsonl", lambda path, _: JsonlSink(path))
_register_text("csv", ".csv", lambda path, _: CsvSink(path))
_register_text("kitti", ".kitti.txt", lambda path, context: KittiSink(path, context.class_names))
register_sink(SinkKind("video", VIDEO_FOLDER, "_vis.mp4", needs_images=True, open=_open_video))
