"""Standard streams that are closed, full, without a reader, or unable to encode: no traceback, valid files."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from clips import write_clip
from networks import write_random_checkpoint
from trials import Ended, TracebackError, Trials, run_python

NAMES = ("行人.mp4", "café – über.mp4", "😀.mp4", "line\nbreak.mp4", "escape\x1b[31m.mp4")
ENCODINGS = ("ascii", "cp1252", "gbk", "latin-1", "utf-8", "ascii:strict", "utf-16")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("video") / "street.mp4", 5)


def shell(command: str, *words: str | Path, env: dict[str, str] | None = None) -> Ended:
    """Run a shell command in which ``CLI`` stands for the command of the package with the words."""
    cli = shlex.join([sys.executable, "-m", "fairmot_dla34", *map(str, words)])
    code = "import subprocess, sys; sys.exit(subprocess.run(['bash', '-c', sys.argv[1]]).returncode)"
    environment = {"PYTHONUNBUFFERED": "", "PYTHONFAULTHANDLER": "", **(env or {})}
    ended = run_python("-c", code, command.replace("CLI", cli), env=environment)
    if "Exception ignored" in ended.stderr or "Error in sys" in ended.stderr:
        raise TracebackError(ended.stderr[-1500:])
    return ended


def track(video: Path, weights: Path, folder: Path) -> list[str | Path]:
    return ["track", video, "--weights", weights, "--input-size", "128x96", "--output-dir", folder]


def check_files(folder: Path, frames: int = 5) -> None:
    """Assert that the run wrote its files to the end."""
    import av

    (video,) = (folder / "mot_outputs").glob("*.mp4")
    with av.open(str(video)) as container:
        assert sum(1 for _ in container.decode(video=0)) == frames


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json"])
def test_names_that_a_stream_cannot_encode(
    trials: Trials, form: str, video: Path, weights: Path, tmp_path: Path
) -> None:
    for name in NAMES:
        source = tmp_path / name
        shutil.copy(video, source)
        for encoding in ENCODINGS if name == NAMES[0] else ENCODINGS[:2]:
            with trials("stream, characters it cannot encode", f"{name!r} in {encoding}, {form}"):
                out = tmp_path / f"out {encoding}"
                words = [*track(source, weights, out), *(["--json"] if form == "json" else [])]
                ended = shell("CLI", *words, env={"PYTHONIOENCODING": encoding})
                assert ended.code == 0, ended
                assert "\x1b" not in ended.stdout + ended.stderr
                if form == "json" and encoding.startswith(("ascii", "utf-8")):  # the bytes are read as UTF-8
                    assert json.loads(ended.stdout)["frames"] == 5


def test_a_chinese_name_in_the_western_encoding_of_windows(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    source = tmp_path / "行人.mp4"
    shutil.copy(video, source)
    with trials("stream, characters it cannot encode", "summary in cp1252"):
        ended = shell("CLI", *track(source, weights, tmp_path), env={"PYTHONIOENCODING": "cp1252"})
        assert ended.code == 0, ended
        assert "\\u884c\\u4eba: 5 frames" in ended.stdout
        check_files(tmp_path)
    with trials("stream, characters it cannot encode", "error in ascii"):
        ended = shell("CLI", "track", tmp_path / "没有.mp4", env={"PYTHONIOENCODING": "ascii"})
        assert ended.code == 1
        assert "\\u6ca1\\u6709.mp4" in ended.stderr


REDIRECTIONS = {  # command: exit codes that are right
    "CLI > /dev/full": {1},
    "CLI 2> /dev/full": {0},
    "CLI > /dev/full 2>&1": {1},
    "CLI >&-": {0},
    "CLI 2>&-": {0},
    "CLI <&-": {0},
    "CLI >&- 2>&-": {0},
    "CLI <&- >&- 2>&-": {0},
    "CLI 1< /dev/null": {1},
    "CLI | true; exit ${PIPESTATUS[0]}": {1},
    "CLI | head -1; exit ${PIPESTATUS[0]}": {0, 1},
    "CLI 2>&1 | true; exit ${PIPESTATUS[0]}": {1},
}


def redirected(trials: Trials, commands: dict[str, set[int]], video: Path, weights: Path, folder: Path) -> None:
    for position, (command, codes) in enumerate(commands.items()):
        for unbuffered in ("", "1"):
            with trials("stream, closed, full or without a reader", f"{command}, unbuffered: {unbuffered}"):
                out = folder / f"{position}{unbuffered}"
                ended = shell(command, *track(video, weights, out), env={"PYTHONUNBUFFERED": unbuffered})
                assert ended.code in codes, ended
                check_files(out)
                lines = [line for line in ended.stderr.splitlines() if line.startswith("fairmot_dla34")]
                assert len(lines) == (1 if "/dev/" in command and ended.code and "2>&1" not in command else 0), ended


def test_a_full_disk_and_a_closed_stream(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    chosen = ("CLI > /dev/full", "CLI <&- >&- 2>&-")
    redirected(trials, {command: REDIRECTIONS[command] for command in chosen}, video, weights, tmp_path)


@pytest.mark.slow
def test_every_redirection(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    redirected(trials, REDIRECTIONS, video, weights, tmp_path)


@pytest.mark.parametrize("words", [("--help",), ("track", "--help"), ("--version",), ("weights", "list")])
def test_the_reader_of_short_outputs_ends(trials: Trials, words: tuple[str, ...]) -> None:
    for command in ("CLI | head -1", "CLI | true", "CLI > /dev/full", "CLI >&-", "CLI 2>&-"):
        with trials("stream, short outputs", f"{command}, {' '.join(words)}"):
            ended = shell(command, *words)
            full = "/dev/full" in command
            assert ended.code == (1 if full else 0)
            if command != "CLI >&-":  # argparse then prints to stderr
                assert len(ended.stderr.splitlines()) == (1 if full else 0), ended.stderr


PROGRESS = """
import sys
from fairmot_dla34.console import progress
progress.INTERVAL_S = {interval}
from fairmot_dla34.commands.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.serial
@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (("track", "{video}", "--weights", "{weights}", "--input-size", "128x96"), r"street: \d+/60 frames, .* left"),
        (("synth", "--frames", "40", "--size", "320x192"), r"synth-12p-s0: \d+/40 frames, .* frames/s, .* left"),
    ],
    ids=["track", "synth"],
)
def test_a_log_file_shows_progress(
    trials: Trials, words: tuple[str, ...], pattern: str, weights: Path, tmp_path: Path
) -> None:
    import re

    video = write_clip(tmp_path / "street.mp4", 60)
    arguments = [word.format(video=video, weights=weights) for word in words]
    for interval, shown in ((0.02, True), (30, False)):
        with trials("stream, progress without a terminal", f"{words[0]}, every {interval} s"):
            out = ("--output-dir", str(tmp_path / str(interval)))
            ended = run_python("-c", PROGRESS.format(interval=interval), *arguments, *out)
            assert ended.code == 0, ended
            assert "\r" not in ended.stderr
            lines = [line for line in ended.stderr.splitlines() if re.fullmatch(pattern, line)]
            assert bool(lines) is shown, ended.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX")
def test_the_descriptor_of_a_closed_stream_is_not_given_to_a_file(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    """The text of a result must not receive what a C library prints."""
    code = (
        "import ctypes, os\nfrom fairmot_dla34.console.guard import guarded\n"
        f"def action():\n    with open({str(tmp_path / 'result')!r}, 'wb') as file:\n"
        "        assert file.fileno() > 2\n        ctypes.CDLL(None).puts(b'noise')\n"
        "        ctypes.CDLL(None).fflush(None)\n"
        "raise SystemExit(guarded(action))"
    )
    with trials("stream, descriptor of a closed one"):
        ended = run_python(
            "-c", f"import os, sys; os.closerange(0, 3); os.execv(sys.executable, ['python', '-c', {code!r}])"
        )
        assert ended.code == 0
        assert (tmp_path / "result").read_bytes() == b""
