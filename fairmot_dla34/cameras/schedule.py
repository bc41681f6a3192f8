"""Decides which camera's frame enters the network next: a fair queue with one waiting frame per camera."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Item = TypeVar("_Item")

_SLACK = 0.5  # of the interval of max_fps: a frame that came late does not delay all frames after it


@dataclass(eq=False)
class _Queue(Generic[_Item]):
    """The state of one camera.

    Attributes:
        weight: Share of the network beside other cameras.
        interval_s: Seconds between two frames at the highest frame rate; 0: no limit.
        item: The waiting frame.
        since_s: Time from which the camera waits; a newer frame does not change it.
        start: Virtual time at which the turn of the waiting frame begins.
        finish: Virtual time at which the camera has used up its last turn.
        due_s: Time at which the next frame is expected at the highest frame rate.
        in_network: Whether a frame of the camera is in the network.
        held: Whether results of the camera are held up.
        dropped: Frames replaced by a newer one.
    """

    weight: float
    interval_s: float
    item: _Item | None = None
    since_s: float = 0.0
    start: float = 0.0
    finish: float = 0.0
    due_s: float = 0.0
    in_network: bool = False
    held: bool = False
    dropped: int = 0

    @property
    def end(self) -> float:
        """Virtual time at which the turn of the waiting frame ends."""
        return self.start + 1 / self.weight

    @property
    def free_s(self) -> float:
        """Time from which ``max_fps`` allows a frame."""
        return self.due_s - _SLACK * self.interval_s


class Schedule(Generic[_Key, _Item]):
    """Picks the next frame among the waiting ones. Times are seconds on one clock that never goes back.

    Virtual times are those of start-time fair queueing (Goyal, Vin and Cheng, 1996): a turn takes ``1 / weight``, so
    that busy cameras take turns in proportion to their weights, and a camera that was idle gains nothing from it. The
    frame whose turn ends first comes first, and among equal ones the camera that has waited longest: a camera with a
    large weight does not wait for one turn of each other camera, in which a newer frame would replace its own. Each
    camera has one waiting frame, which a newer one replaces, and one frame in the network at most.
    """

    def __init__(self) -> None:
        self._queues: dict[_Key, _Queue[_Item]] = {}
        self._virtual = 0.0

    def add(self, key: _Key, *, weight: float = 1.0, max_fps: float | None = None) -> None:
        """Add a camera.

        Args:
            key: Name of the camera.
            weight: Share of the network beside other cameras, above 0.
            max_fps: Highest frame rate; None: no limit.
        """
        self._queues[key] = _Queue(weight, 1 / max_fps if max_fps else 0.0)

    def offer(self, key: _Key, item: _Item, now_s: float) -> bool:
        """Let a frame wait; return whether it replaced one, which is counted as dropped."""
        queue = self._queues[key]
        replaced = queue.item is not None
        queue.dropped += replaced
        queue.item = item
        if not replaced:
            queue.since_s = now_s
            queue.start = max(self._virtual, queue.finish)
        return replaced

    def take(self, now_s: float) -> tuple[_Key, _Item] | None:
        """Take the next frame, which is in the network until `leave`; None if no frame may enter it now."""
        ready = [(queue.end, queue.since_s, key) for key, queue in self._queues.items() if _is_ready(queue, now_s)]
        if not ready:
            return None
        key = min(ready, key=lambda entry: entry[:2])[2]
        queue = self._queues[key]
        item, queue.item = queue.item, None
        self._virtual = max(self._virtual, queue.start)
        queue.finish = queue.end
        queue.due_s = max(queue.due_s, now_s) + queue.interval_s
        queue.in_network = True
        assert item is not None  # noqa: S101 (ready queues have one)
        return key, item

    def leave(self, key: _Key) -> None:
        """Note that a camera's frame has left the network."""
        self._queues[key].in_network = False

    def hold(self, key: _Key, *, held: bool) -> None:
        """Keep a camera's frames out of the network while its results are held up."""
        self._queues[key].held = held

    def is_waiting(self, key: _Key) -> bool:
        """Return whether a frame of a camera waits."""
        return self._queues[key].item is not None

    def is_idle(self, key: _Key) -> bool:
        """Return whether no frame of a camera waits or is in the network."""
        return self._queues[key].item is None and not self._queues[key].in_network

    def dropped(self, key: _Key) -> int:
        """Return the number of a camera's frames that a newer one replaced."""
        return self._queues[key].dropped

    def wait_s(self, now_s: float) -> float | None:
        """Return the seconds until ``max_fps`` allows the next waiting frame; None if no frame waits for that."""
        times = [queue.free_s for queue in self._queues.values() if _is_waiting(queue) and queue.free_s > now_s]
        return min(times) - now_s if times else None


def _is_waiting(queue: _Queue[_Item]) -> bool:
    return queue.item is not None and not queue.in_network and not queue.held


def _is_ready(queue: _Queue[_Item], now_s: float) -> bool:
    return _is_waiting(queue) and queue.free_s <= now_s
