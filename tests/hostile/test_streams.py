"""Standard streams that are closed, full, without a reader, or unable to encode: no traceback, valid files."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from clips import write_clip
from networks import write_random_checkpoint
from trials import CrashError, TracebackError, Trials, run_python

NAMES = ("行人.mp4", "café – über.mp4", "😀.mp4", "line\nbreak.mp4", "escape\x1b[31m.mp4")
ENCODINGS = ("ascii", "cp1252", "gbk", "latin-1", "utf-8", "ascii:strict", "utf-16")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_checkpoint(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("video") / "street.mp4", 5)


@dataclass(frozen=True)
class Printed:
    """A shell command that has ended.

    Attributes:
        code: Exit code.
        output: Bytes of its standard output.
        stderr: Its standard error.
    """

    code: int
    output: bytes
    stderr: str


def shell(command: str, *words: str | Path, env: dict[str, str] | None = None) -> Printed:
    """Run a shell command in which ``CLI`` stands for the command of the package with the words."""
    cli = shlex.join([sys.executable, "-m", "fairmot_dla34", *map(str, words)])
    ended = subprocess.run(
        ["bash", "-c", command.replace("CLI", cli)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "", "PYTHONFAULTHANDLER": "", **(env or {})},
    )
    stderr = ended.stderr.decode(errors="backslashreplace")
    if ended.returncode < 0 or ended.returncode > 128:
        raise CrashError(f"exit code {ended.returncode}: {stderr[-1500:]}")
    if any(text in stderr for text in ("Traceback", "Exception ignored", "Error in sys")):
        raise TracebackError(stderr[-1500:])
    return Printed(ended.returncode, ended.stdout, stderr)


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
    cases = [(name, encoding) for name in NAMES for encoding in (ENCODINGS if name == NAMES[0] else ENCODINGS[:2])]

    def run(case: tuple[str, str]) -> Printed:
        name, encoding = case
        more = ["--json"] if form == "json" else []
        env = {"PYTHONIOENCODING": encoding}
        return shell("CLI", *track(tmp_path / name, weights, tmp_path / f"out {cases.index(case)}"), *more, env=env)

    for name in NAMES:
        shutil.copy(video, tmp_path / name)
    with ThreadPoolExecutor(3) as pool:
        ended = [pool.submit(run, case) for case in cases]
        for (name, encoding), each in zip(cases, ended, strict=True):
            with trials("stream, characters it cannot encode", f"{name!r} in {encoding}, {form}"):
                printed = each.result()
                assert printed.code == 0, printed
                stdout = printed.output.decode(encoding.partition(":")[0])
                assert "\x1b" not in stdout + printed.stderr
                if form == "json":
                    summary = json.loads(stdout)
                    assert summary["frames"] == 5
                    assert [Path(path).exists() for path in summary["paths"]] == [True, True]
                else:
                    assert ": 5 frames" in stdout


def test_a_chinese_name_in_the_western_encoding_of_windows(
    trials: Trials, video: Path, weights: Path, tmp_path: Path
) -> None:
    source = tmp_path / "行人.mp4"
    shutil.copy(video, source)
    with trials("stream, characters it cannot encode", "summary in cp1252"):
        ended = shell("CLI", *track(source, weights, tmp_path), env={"PYTHONIOENCODING": "cp1252"})
        assert ended.code == 0, ended
        assert "\\u884c\\u4eba: 5 frames" in ended.output.decode("cp1252")
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


def redirected(trials: Trials, cases: list[tuple[str, str]], video: Path, weights: Path, folder: Path) -> None:
    """Run commands with and without a buffer of stdout, three at once."""

    def run(case: tuple[str, str]) -> Printed:
        command, unbuffered = case
        words = track(video, weights, folder / f"{cases.index(case)}")
        return shell(command, *words, env={"PYTHONUNBUFFERED": unbuffered})

    with ThreadPoolExecutor(3) as pool:
        ended = [pool.submit(run, case) for case in cases]
        for position, ((command, unbuffered), each) in enumerate(zip(cases, ended, strict=True)):
            with trials("stream, closed, full or without a reader", f"{command}, unbuffered: {unbuffered}"):
                printed = each.result()
                assert printed.code in REDIRECTIONS[command], printed
                check_files(folder / f"{position}")
                lines = [line for line in printed.stderr.splitlines() if line.startswith("fairmot_dla34")]
                shown = "/dev/" in command and printed.code and "2>&1" not in command
                assert len(lines) == (1 if shown else 0), printed


def test_a_full_disk_and_a_closed_stream(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    cases = [("CLI > /dev/full", ""), ("CLI > /dev/full", "1"), ("CLI <&- >&- 2>&-", "")]
    redirected(trials, cases, video, weights, tmp_path)


@pytest.mark.slow
def test_every_redirection(trials: Trials, video: Path, weights: Path, tmp_path: Path) -> None:
    cases = [(command, unbuffered) for command in REDIRECTIONS for unbuffered in ("", "1")]
    redirected(trials, cases, video, weights, tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("weights", "list"),
        pytest.param(("track", "--help"), marks=pytest.mark.slow),
        pytest.param(("--version",), marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_the_reader_of_short_outputs_ends(trials: Trials, words: tuple[str, ...]) -> None:
    commands = ("CLI | head -1", "CLI | true", "CLI > /dev/full", "CLI >&-", "CLI 2>&-")
    with ThreadPoolExecutor(3) as pool:
        ended = [pool.submit(shell, command, *words) for command in commands]
        for command, each in zip(commands, ended, strict=True):
            with trials("stream, short outputs", f"{command}, {' '.join(words)}"):
                printed = each.result()
                full = "/dev/full" in command
                assert printed.code == (1 if full else 0)
                if command != "CLI >&-":  # argparse then prints to stderr
                    assert len(printed.stderr.splitlines()) == (1 if full else 0), printed.stderr


PROGRESS = """
import sys
from fairmot_dla34.console import progress
progress.INTERVAL_S = {interval}
from fairmot_dla34.commands.main import main
if sys.argv[1] == "demo":
    from dataclasses import replace
    from fairmot_dla34.commands.demo import SCENE, run_demo
    run_demo.__kwdefaults__["scene"] = replace(SCENE, frames=10)
sys.exit(main(sys.argv[1:]))
"""


PROGRESS_LINES = {
    "track": r"street: \d+/60 frames, .* left",
    "synth": r"synth-12p-s0: \d+/40 frames, .* frames/s, .* left",
    "demo": r"demo: \d+/10 frames, .* frames/s, .* left",
}
PROGRESS_WORDS = {
    "track": ("{video}", "--weights", "{weights}", "--input-size", "128x96"),
    "synth": ("--frames", "40", "--size", "320x192"),
    "demo": (),
}


def check_progress(verb: str, interval_s: float, video: Path, weights: Path, folder: Path) -> None:
    """Run a verb whose lines of progress are ``interval_s`` apart, and assert that there are some; none if it is 30."""
    words = [word.format(video=video, weights=weights) for word in PROGRESS_WORDS[verb]]
    script = PROGRESS.format(interval=interval_s)
    ended = run_python("-c", script, verb, *words, "--output-dir", folder)
    assert ended.code == 0, ended
    assert "\r" not in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if re.fullmatch(PROGRESS_LINES[verb], line)]
    assert bool(lines) is (interval_s < 30), ended.stderr


@pytest.mark.serial
@pytest.mark.parametrize("verb", ["track", "synth", pytest.param("demo", marks=pytest.mark.slow)])
def test_a_log_file_shows_progress(trials: Trials, verb: str, weights: Path, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "street.mp4", 60)
    for interval_s in (0.02, 30) if verb == "synth" else (0.02,):
        with trials("stream, progress without a terminal", f"{verb}, every {interval_s} s"):
            check_progress(verb, interval_s, video, weights, tmp_path / f"{interval_s}")


@pytest.mark.serial
def test_a_log_file_shows_the_progress_of_a_download(trials: Trials, tmp_path: Path) -> None:
    """The mirror serves a wrong file: the lines come before the check of its digest, which fails."""
    with file_server(500_000, pause_s=0.03) as url, trials("stream, progress without a terminal", "download"):
        env = {"FAIRMOT_DLA34_MIRROR": url, "FAIRMOT_DLA34_HOME": str(tmp_path)}
        ended = run_python("-c", PROGRESS.format(interval=0.1), "weights", "download", env=env)
        assert ended.code == 1
        pattern = r"fairmot_dla34_30e_1088x608\S*: [\d.]+ k/500\.0 kB, [\d.]+ kB/s, \d+ s left"
        assert [line for line in ended.stderr.splitlines() if re.fullmatch(pattern, line)], ended.stderr
        assert "\r" not in ended.stderr


@contextmanager
def file_server(size: int, pause_s: float) -> Iterator[str]:
    """Serve ``size`` bytes in 50 parts; yield the URL of the server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(size))
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(50):
                    self.wfile.write(bytes(size // 50))
                    time.sleep(pause_s)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 (the base class's name)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


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
