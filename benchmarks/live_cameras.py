"""Serves a video as any number of live cameras: MPEG transport streams over TCP, in real time, for ever.

python benchmarks/live_cameras.py VIDEO PORT [PORT ...]
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from fractions import Fraction

import av


class _Sink:
    """A writable file that PyAV muxes into: the connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, data: bytes) -> int:
        self._connection.sendall(data)
        return len(data)


def serve(video: str, server: socket.socket, delay_s: float) -> None:
    """Accept connections one after the other, and send the video to each in a loop."""
    with server:
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            time.sleep(delay_s)
            with contextlib.suppress(OSError, ValueError, av.FFmpegError), connection:  # the other side has gone
                send(video, connection)


def send(video: str, connection: socket.socket) -> None:
    """Send the packets of a video at their times, again and again."""
    options = {"flush_packets": "1"}
    with av.open(_Sink(connection), "w", format="mpegts", options=options) as out, av.open(video) as first:
        stream = first.streams.video[0]
        rate, base = stream.average_rate or Fraction(25), stream.time_base
        copied = out.add_stream_from_template(stream)
        start, number = time.monotonic(), 0
        while True:
            with av.open(video) as source:
                for packet in source.demux(video=0):
                    if packet.dts is None:
                        continue
                    packet.stream = copied
                    packet.pts = packet.dts = round(number / rate / base)
                    packet.time_base = base
                    out.mux(packet)
                    number += 1
                    time.sleep(max(0.0, start + float(number / rate) - time.monotonic()))


def main() -> None:
    """Run from the command line."""
    video, *ports = sys.argv[1:]
    with av.open(video) as source:
        interval_s = 1 / float(source.streams.video[0].average_rate or 25)
    for number, port in enumerate(ports):  # cameras do not send at the same moment
        server = socket.create_server(("127.0.0.1", int(port)))
        delay_s = number * interval_s / len(ports)
        threading.Thread(target=serve, args=(video, server, delay_s), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()  # until the benchmark ends


if __name__ == "__main__":
    main()
