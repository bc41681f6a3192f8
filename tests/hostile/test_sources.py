"""Hostile sources: damaged media, files that are not media, special files, huge images, streams that break."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from clips import numbered_image, write_clip
from mjpeg_server import serving_mjpeg
from rtsp_server import RtspServer
from trials import TracebackError, Trials, expect_one_line_error, run_command, run_python

READER = Path(__file__).with_name("read_sources.py")
CLIPS: dict[str, dict[str, Any]] = {
    "mp4": {"g": "5"},
    "mkv": {"g": "5"},
    "avi": {"codec": "mpeg4"},
    "ts": {"g": "5"},
    "flv": {"codec": "flv"},
    "mjpeg": {"codec": "mjpeg"},
    "y4m": {"codec": "wrapped_avframe", "container": "yuv4mpegpipe"},
    "webm": {"codec": "libvpx"},
}
IMAGES = ("png", "jpg", "bmp", "webp", "tiff")


def read_sources(specs: Sequence[object], timeout_s: float = 60) -> tuple[list[dict[str, object]], int]:
    """Read sources in one process; return its reports and its peak memory in bytes."""
    ended = run_python(READER, *map(str, specs), timeout_s=timeout_s)
    reports = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len(reports) == len(specs), ended.stderr[-1500:]
    return reports, ended.peak_bytes


def check(report: dict[str, object]) -> None:
    """Fail if reading gave anything but frames in order or one error of the package."""
    if report["traceback"]:
        raise TracebackError(str(report["traceback"]))
    assert not report["wrong"], report["wrong"]
    assert report["frames"] or report["error"]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return data with one random kind of damage."""
    changed = bytearray(data)
    start = int(rng.integers(len(data)))
    length = int(rng.integers(1, 400))
    match int(rng.integers(6)):
        case 0:  # single bytes
            for position in rng.integers(0, len(data), int(rng.integers(1, 40))):
                changed[position] = int(rng.integers(256))
        case 1:  # the header
            for position in rng.integers(0, min(300, len(data)), int(rng.integers(1, 8))):
                changed[position] = int(rng.integers(256))
        case 2:
            del changed[start:]
        case 3:
            changed[start : start + length] = bytes(length)
        case 4:
            changed[start:start] = rng.bytes(length)
        case _:
            del changed[start : start + length]
    return bytes(changed)


@pytest.mark.parametrize("suffix", CLIPS)
def test_damaged_videos(tmp_path: Path, trials: Trials, suffix: str) -> None:
    data = write_clip(tmp_path / f"good.{suffix}", 15, rate=Fraction(25), **CLIPS[suffix]).read_bytes()
    rng = np.random.default_rng(list(CLIPS).index(suffix))
    files = [tmp_path / f"{number}.{suffix}" for number in range(30)]
    for file in files:
        file.write_bytes(damaged(data, rng))
    reports, _ = read_sources(files)
    for report in reports:
        with trials("video, damaged", report["source"]):
            check(report)


@pytest.mark.parametrize("suffix", IMAGES)
def test_damaged_images(tmp_path: Path, trials: Trials, suffix: str) -> None:
    ok, encoded = cv2.imencode(f".{suffix}", numbered_image(3))
    assert ok
    data, rng = encoded.tobytes(), np.random.default_rng(IMAGES.index(suffix))
    files = [tmp_path / f"{number}.{suffix}" for number in range(25)]
    for file in files:
        file.write_bytes(damaged(data, rng))
    reports, peak_bytes = read_sources(files)
    for report in reports:
        with trials("image, damaged", report["source"]):
            check(report)
            assert peak_bytes < 10**9


def _png_of_zeros(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(width // 8 + 1)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _resized(suffix: str, at: int, size: bytes) -> bytes:
    ok, encoded = cv2.imencode(suffix, numbered_image(3))
    assert ok
    data = bytearray(encoded.tobytes())
    at = data.index(b"\xff\xc0") + 5 if suffix == ".jpg" else at
    data[at : at + len(size)] = size
    return bytes(data)


def _huge_images() -> dict[str, bytes]:
    tiff = bytearray(cv2.imencode(".tiff", numbered_image(3))[1].tobytes())
    start = struct.unpack_from("<I", tiff, 4)[0]
    for entry in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", tiff, start)[0], 12):
        if struct.unpack_from("<H", tiff, entry)[0] in {256, 257}:
            struct.pack_into("<HII", tiff, entry + 2, 4, 1, 30000)
    png = _png_of_zeros(30000, 30000)
    return {
        "huge.png": png,
        "a_video.mp4": png,
        "no_suffix": png,
        "huge.jpg": _resized(".jpg", 0, struct.pack(">HH", 65000, 65000)),
        "huge.bmp": _resized(".bmp", 18, struct.pack("<ii", 30000, -30000)),
        "huge.webp": b"RIFF\x64\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(4) + b"\xff\x7f\0\xff\x7f\0" + bytes(70),
        "lossless.webp": b"RIFF\x64\0\0\0WEBPVP8L\x50\0\0\0\x2f\xff\xff\xff\x0f" + bytes(75),
        "huge.tiff": bytes(tiff),
        "huge.ppm": b"P6\n30000 30000\n255\n" + bytes(1000),
        "a.gif": b"GIF89a\xff\xff\xff\xff\xf7\0\0" + bytes(1000),
        "pnm_named.png": b"P5\n# comment\n30000\n30000\n255\n" + bytes(1000),
    }


def test_images_of_huge_size(tmp_path: Path, trials: Trials) -> None:
    images = _huge_images()
    for name, data in images.items():
        (tmp_path / name).write_bytes(data)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "1.png").write_bytes(images["huge.png"])
    good = cv2.imencode(".jpg", numbered_image(1))[1].tobytes()
    (folder / "2.jpg").write_bytes(good)
    big = cv2.imencode(".jpg", np.zeros((8200, 8200, 3), np.uint8))[1].tobytes()
    (tmp_path / "grows.mjpeg").write_bytes(3 * good + big + 3 * good)
    (tmp_path / "big.mjpeg").write_bytes(3 * big)
    specs = [*(tmp_path / name for name in images), tmp_path / "big.mjpeg"]
    reports, peak_bytes = read_sources(specs)
    for report in reports:
        with trials("image or video, huge", report["source"]):
            check(report)
            assert report["error"]
            assert peak_bytes < 6e8, peak_bytes
    reports, peak_bytes = read_sources([folder, folder / "*", tmp_path / "grows.mjpeg"])
    for report, frames in zip(reports, (1, 1, 6), strict=True):
        with trials("image or video, huge", report["source"]):
            check(report)
            assert (report["frames"], report["skipped"]) == (frames, 1)
            assert peak_bytes < 6e8, peak_bytes


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _tiff(pages: int, entries: int = 9) -> bytes:
    """Return a TIFF file of grey images of 4 x 4 px; further entries than nine are empty ones."""
    tags = ((256, 4), (257, 4), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 4), (279, 16))
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + bytes(12 * (entries - 9))
    size = 2 + len(body) + 4
    ends = [24 + size * (page + 1) for page in range(pages - 1)] + [0]
    header = struct.pack("<2sHI", b"II", 42, 24) + bytes(16)
    return header + b"".join(struct.pack("<H", entries) + body + struct.pack("<I", end) for end in ends)


def _webp(size: int, frame: bytes, frame_size: int) -> bytes:
    """Return an animated WebP file of two frames."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack("<4sI", kind, len(data)) + data + bytes(len(data) % 2)

    sides = 2 * (size - 1).to_bytes(3, "little"), 2 * (frame_size - 1).to_bytes(3, "little")
    frames = 2 * chunk(b"ANMF", bytes(6) + sides[1] + b"\x28\0\0\0" + frame)
    chunks = chunk(b"VP8X", b"\x02\0\0\0" + sides[0]) + chunk(b"ANIM", bytes(6)) + frames
    return struct.pack("<4sI4s", b"RIFF", 4 + len(chunks), b"WEBP") + chunks


def _bombs() -> dict[str, bytes]:
    """Return small files that state much more than they contain."""
    jpeg = cv2.imencode(".jpg", numbered_image(3))[1].tobytes()
    progressive = cv2.imencode(".jpg", np.zeros((4000, 4000, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
    scan = progressive.tobytes()[progressive.tobytes().rindex(b"\xff\xda") : -2]
    still = cv2.imencode(".webp", np.zeros((4000, 16000, 3), np.uint8), [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes()
    text = _png_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000), 9))
    png = _png_of_zeros(16, 16)
    nested = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{}\n"
    return {
        **{f"header_{length}.webp": _webp(16, still[12:], 16)[:length] for length in range(12, 32)},
        "frame.webp": _webp(16, still[12:], 16),
        "frame_outside.webp": _webp(16, still[12:], 5000),
        "segments.jpg": jpeg[:2] + b"\xff\xe1\0\x02" * 2_000_000 + jpeg[2:],
        "fill.jpg": jpeg[:2] + b"\xff" * 5_000_000 + jpeg[2:],
        "zeros.jpg": b"\xff\xd8\xff" + bytes(10_000_000),
        "scans.jpg": progressive.tobytes()[:-2] + 400 * scan + b"\xff\xd9",
        "starts.mjpeg": b"\xff\xd8" * 500_000,
        "empty.mjpeg": b"\xff\xd8\xff\xd9" * 200_000,
        "text.png": png[:33] + text + png[33:],
        "entries.tif": _tiff(30, entries=65000),
        "circle.m3u8": nested.format("circle.m3u8").encode(),
        "circle_a.m3u8": nested.format("circle_b.m3u8").encode(),
        "circle_b.m3u8": nested.format("circle_a.m3u8").encode(),
    }


def test_small_files_that_state_much(tmp_path: Path, trials: Trials) -> None:
    bombs = _bombs()
    for name, data in bombs.items():
        (tmp_path / name).write_bytes(data)
    reports, peak_bytes = read_sources([tmp_path / name for name in bombs])
    for report in reports:
        with trials("small file that states much", report["source"]):
            check(report)
            assert float(str(report["seconds"])) < 6
            assert peak_bytes < 4e8, peak_bytes


def test_animations_that_are_cut_off_or_too_long(tmp_path: Path, trials: Trials) -> None:
    """Pages that are left out are reported, and reading one does not walk over all the others."""
    still = cv2.imencode(".webp", numbered_image(0))[1].tobytes()[12:]
    files = {"long.tif": (_tiff(100_001), 100_000), "cut.tif": (_tiff(10)[:600], 5), "cut.webp": (b"", 1)}
    webp = _webp(160, still, 160).replace((159).to_bytes(3, "little") * 2, bytes([159, 0, 0, 95, 0, 0]))
    files["cut.webp"] = (webp[: len(webp) - len(still) // 2], 1)
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
    reports, _ = read_sources([tmp_path / name for name in files])
    for report, (_, frames) in zip(reports, files.values(), strict=True):
        with trials("animation, cut off", report["source"]):
            check(report)
            assert (report["frames"], report["truncated"]) == (frames, True)
            assert float(str(report["seconds"])) < 40


def test_special_files(tmp_path: Path, trials: Trials) -> None:
    for name in ("pipe", "pipe.mp4", "pipe.png", "seqinfo.ini"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "link.mp4").symlink_to(tmp_path / "pipe")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    (tmp_path / "pipe.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\npipe\n#EXT-X-ENDLIST\n")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.mp4"))
    names = ["pipe", "pipe.mp4", "pipe.png", "link.mp4", "zero.png", "loop.mp4", "socket.mp4", "pipe.m3u8"]
    devices = ["/dev/zero", "/dev/full", "/dev/stdin", "/dev/tty", "/dev/null", "/proc/cpuinfo", "/proc/self/mem"]
    specs = [*(tmp_path / name for name in names), tmp_path, tmp_path / "*.png", *devices]
    reports, _ = read_sources(specs, timeout_s=30)
    for report in reports:
        with trials("special file", report["source"]):
            check(report)
            assert report["error"]
            assert float(str(report["seconds"])) < 2
    (tmp_path / "a.jpg").write_bytes(cv2.imencode(".jpg", numbered_image(1))[1].tobytes())
    for report in read_sources([tmp_path, tmp_path / "*"], timeout_s=30)[0]:
        with trials("special file", f"{report['source']} beside an image"):
            check(report)
            assert (report["frames"], report["skipped"]) == (1, 2)


def test_links_that_lead_in_a_circle(tmp_path: Path, trials: Trials) -> None:
    """Each folder is entered once; glob's own expansion takes 2^40 steps for two links."""
    image = cv2.imencode(".png", numbered_image(1))[1].tobytes()
    (tmp_path / "a" / "b").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "a", tmp_path / "a" / "b"):
        (folder / "1.png").write_bytes(image)
        (folder / "up").symlink_to(tmp_path)
        (folder / "again").symlink_to(tmp_path / "a")
    patterns = {"**/*.png": 3, "**/1.png": 3, "a/**/*.png": 3, "**": 3, "*/b/*.png": 2, "**/b/**/*.png": 3}
    reports, _ = read_sources([tmp_path / pattern for pattern in patterns], timeout_s=30)
    for report, (pattern, frames) in zip(reports, patterns.items(), strict=True):
        with trials("links in a circle", pattern):
            check(report)
            assert report["frames"] == frames


def test_files_that_are_not_media(tmp_path: Path, trials: Trials) -> None:
    rng = np.random.default_rng(7)
    suffixes = ("txt", "mp4", "h264", "mjpeg", "ts", "yuv", "raw", "ans", "srt", "png", "dat", "m4v", "tga", "")
    contents: dict[str, Callable[[], bytes]] = {
        "noise": lambda: rng.bytes(40_000),
        "text": lambda: "".join(f"{i},1,{i * 0.5:.2f},9.00,30.00,60.00,0.9\n" for i in range(900)).encode(),
        "zeros": lambda: bytes(60_000),
        "script": lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
        "escapes": lambda: b"\x1b[2J\x1b[31mred\r\n" * 500,
    }
    files = []
    for suffix in suffixes:
        for kind, content in contents.items():
            files.append(tmp_path / f"{kind}.{suffix}")
            files[-1].write_bytes(content())
    for report in read_sources(files)[0]:
        with trials("file that is not media", report["source"]):
            check(report)
            assert report["error"], f"{report['frames']} frames"


def test_results_are_not_tracked_as_a_video(tmp_path: Path, trials: Trials) -> None:
    text = tmp_path / "mot_results" / "a.txt"
    text.parent.mkdir()
    lines = "".join(f"{frame},1,10.00,20.00,30.00,60.00,0.9,-1,-1,-1\n" for frame in range(1, 200))
    text.write_text(lines)
    with trials("file that is not media"):
        ended = run_command("track", text, "--weights", "sample", "--output-dir", tmp_path)
        expect_one_line_error(ended, "a.txt", "is not a video")
        assert text.read_text() == lines


@pytest.mark.serial
@pytest.mark.parametrize("scheme", ["rtsp", "http", "tcp", "rtmp"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_while_a_source_opens(tmp_path: Path, trials: Trials, scheme: str, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/live"
        command = [
            sys.executable,
            "-m",
            "fairmot_dla34",
            "track",
            url,
            "--weights",
            "sample",
            "--output-dir",
            str(tmp_path),
        ]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        with trials("signal while a source opens", f"{scheme} {number.name}"), process:
            try:
                silent.settimeout(60)
                connection, _ = silent.accept()
                with connection:
                    time.sleep(0.3)
                    process.send_signal(number)
                    sent_s = time.monotonic()
                    stderr = process.communicate(timeout=20)[1]
                    seconds = time.monotonic() - sent_s
            finally:
                process.kill()
            assert process.returncode == 128 + number
            assert "Traceback" not in stderr
            assert seconds < 1.5, seconds  # 1 s, and the end of the interpreter


@pytest.mark.serial
def test_a_live_stream_that_drops_exits_with_1(tmp_path: Path, trials: Trials) -> None:
    rtsp = RtspServer(30, Fraction(25))
    with rtsp, serving_mjpeg(30, 0.02) as http:
        for url in (f"rtsp://127.0.0.1:{rtsp.port}/live", http):
            folder = tmp_path / url.partition(":")[0]
            options = ("--weights", "sample", "--output-dir", folder, "--no-visualization", "--json")
            with trials("live stream that drops", url):
                ended = run_command("track", url, *options)
                assert ended.code == 1, ended.stderr[-1000:]
                assert json.loads(ended.stdout)["ended"] == "lost"
