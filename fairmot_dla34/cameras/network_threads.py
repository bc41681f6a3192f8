"""Runs the network on the frames of all cameras, in threads and in the order of a `Schedule`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..tracking.detector import StageTimes
from .schedule import Schedule

if TYPE_CHECKING:
    from ..tracking.detector import Detector
    from ..values import Detections
    from .channel import Channel
    from .clock import CameraClock
    from .reader import CameraFrame


class NetworkThreads:
    """One thread per image that the network processes at the same time, and one that letterboxes meanwhile.

    A camera has one frame in the network, and one beside it that is associated and written. While further ones are in
    progress behind the network, its frames do not enter it.

    Args:
        detector: The detector.
        streams: Images that the network processes at the same time.
        clock: Clock of ``max_fps``.
        failed: Called with an error of the network, in the thread that it ended.
    """

    def __init__(
        self, detector: Detector, *, streams: int, clock: CameraClock, failed: Callable[[BaseException], None]
    ) -> None:
        self._detector = detector
        self._clock = clock
        self._failed = failed
        self._lock = threading.Lock()
        self._work_left = threading.Condition(self._lock)  # a frame may enter the network, or the end
        self._room_left = threading.Condition(self._lock)  # a frame of a file may wait, or the end
        self._turn = threading.Condition(self._lock)  # a letterboxed frame may enter the network, or the end
        self._streams = streams
        self._taken = self._entered = self._running = 0  # frames
        self._schedule: Schedule[Channel, CameraFrame] = Schedule()
        self._behind: dict[Channel, int] = {}  # frames that left the network and are not done
        self._ended: set[Channel] = set()  # no further frame will come
        self._stopped = False
        self._threads = [
            threading.Thread(target=self._run, name=f"fairmot_dla34 network {number}", daemon=True)
            for number in range(streams + 1)
        ]

    def add(self, channel: Channel) -> None:
        """Add a camera, before the start."""
        self._schedule.add(channel, weight=channel.camera.weight, max_fps=channel.camera.max_fps)
        self._behind[channel] = 0

    def start(self) -> None:
        """Start the threads.

        Raises:
            RuntimeError: The system has no thread left.
        """
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin to end the threads, and return at once; frames in the network are finished."""
        with self._lock:
            self._stopped = True
            self._work_left.notify_all()
            self._room_left.notify_all()
            self._turn.notify_all()

    def join(self) -> None:
        """Wait for the threads, after `stop`."""
        for thread in self._threads:
            if thread is not threading.current_thread() and thread.ident is not None:
                thread.join()

    def offer(self, channel: Channel, frame: CameraFrame, *, waits: bool) -> None:
        """Let a frame wait for the network.

        Args:
            channel: Its camera.
            frame: The frame.
            waits: Wait until the frame before it has entered the network, instead of replacing it.
        """
        with self._lock:
            while waits and self._schedule.is_waiting(channel) and self._is_open(channel):
                self._room_left.wait()
            if self._is_open(channel):
                self._schedule.offer(channel, frame, self._clock.monotonic())
                self._work_left.notify()

    def note_done(self, channel: Channel) -> None:
        """Note that a frame of a camera was associated and written."""
        with self._lock:
            self._behind[channel] -= 1
            self._schedule.hold(channel, held=self._behind[channel] > 1)
            self._work_left.notify()

    def note_last_frame(self, channel: Channel) -> None:
        """Note that no further frame of a camera will come; its thread ends after those that are under way."""
        with self._lock:
            self._ended.add(channel)
            self._room_left.notify_all()
            self._finish_if_idle(channel)

    def dropped(self, channel: Channel) -> int:
        """Return the number of a camera's frames that a newer one replaced."""
        with self._lock:
            return self._schedule.dropped(channel)

    def _is_open(self, channel: Channel) -> bool:
        """Return whether frames of a camera are still tracked; a reader that was given up may have one left."""
        return not self._stopped and channel not in self._ended

    def _run(self) -> None:
        buffer, times = self._detector.new_buffer(), StageTimes()
        try:
            while (taken := self._take()) is not None:
                number, channel, frame = taken
                image = self._detector.letterbox(frame.frame.image, buffer, times)
                if not self._enter(number):
                    return
                self._pass_on(channel, frame, self._detector.infer(image, times))
                del taken, frame  # an image, while this thread waits
        except BaseException as error:  # noqa: BLE001 (raised again in the consumer thread)
            self._failed(error)

    def _take(self) -> tuple[int, Channel, CameraFrame] | None:
        """Wait for a frame that may enter the network, and return it with its place in the order; None at the end."""
        with self._lock:
            while not self._stopped:
                now_s = self._clock.monotonic()
                taken = self._schedule.take(now_s)
                if taken is not None:
                    self._room_left.notify_all()
                    self._work_left.notify()  # another thread waits for the next frame, or until it is allowed
                    self._taken += 1
                    return self._taken, *taken
                self._clock.wait(self._work_left, self._schedule.wait_s(now_s))
        return None

    def _enter(self, number: int) -> bool:
        """Wait until the network is free for a frame; False at the end.

        Frames enter in the order in which they were taken. Without it, a thread that comes back from the network may
        overtake the waiting one again and again, because it is awake.
        """
        with self._lock:
            while not self._stopped and (self._running == self._streams or number != self._entered + 1):
                self._turn.wait()
            if self._stopped:
                return False
            self._running += 1
            self._entered += 1
            self._turn.notify_all()
        return True

    def _pass_on(self, channel: Channel, frame: CameraFrame, detections: Detections) -> None:
        with self._lock:
            self._running -= 1
            self._turn.notify_all()
            self._behind[channel] += 1
            self._schedule.hold(channel, held=self._behind[channel] > 1)
            self._schedule.leave(channel)
            channel.put(frame, detections)
            self._finish_if_idle(channel)

    def _finish_if_idle(self, channel: Channel) -> None:
        if channel in self._ended and self._schedule.is_idle(channel):
            channel.finish()
