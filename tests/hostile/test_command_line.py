"""Hostile command lines: wrong values of every option, damaged settings files, and names that break JSON."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from trials import Trials, expect_one_line_error, run_command
from videos import walking_boxes

from fairmot_dla34 import FairMOT, FairMOTError, Module
from fairmot_dla34.arguments.json_output import printable_json
from fairmot_dla34.backends.fake import FakeBackend
from fairmot_dla34.commands.main import main
from fairmot_dla34.tracking.options import ModelOptions

NOT_NUMBERS = (
    "",
    " ",
    "two",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "0x10",
    "1,5",
    "9" * 5000,
    "\0",
    "\ud800",
    "\x1b[31m",
    "-",
)
WHOLE = ("-1", "1.5", *NOT_NUMBERS)
SHARES = ("-0.1", "1.1", *NOT_NUMBERS)
AMOUNTS = ("-1", *NOT_NUMBERS)
NAMES = ("", " ", "foo", "JDE", "a" * 5000, "\0", "\ud800", "\x1b[31m", "auto,", "../x")
SIZES = (
    "100x100",
    "0x0",
    "-32x32",
    "32",
    "x",
    "32x",
    "32x32x32",
    "",
    "1e3x32",
    "9" * 5000 + "x32",
    "\0",
    "64x-64",
    "nanxnan",
)
RUN_OPTIONS: dict[str, tuple[str, ...]] = {
    "tracker": NAMES,
    "precision": ("fp8", *NAMES[:-2]),
    "backend": ("nope", *NAMES[:-2]),
    "input-size": SIZES,
    "threads": ("0", "1025", *WHOLE),
    "frame-stride": ("0", "10000000000", *WHOLE),
    "frame-rate": ("0", "1e12", *AMOUNTS),
    "draw-threshold": SHARES,
    "fill-gaps": ("301", *WHOLE),
    "formats": ("xyz", "mot,", ",", "mot csv", "a" * 5000, "\0", "MOT"),
    "labels": ("x", "", "ID", "\0", "a" * 5000),
    "line-width": ("0", "100000", *WHOLE),
    "name": ("", "a/b", "..", "\0", "a" * 5000, "a\nb", "\ud800"),
    "conf": SHARES,
    "lost-buffer": AMOUNTS,
    "reid-buffer": AMOUNTS,
}
SCENE_OPTIONS: dict[str, tuple[str, ...]] = {
    "people": ("0", "301", *WHOLE),
    "frames": ("0", "10000000", *WHOLE),
    "frame-rate": ("0", "241", *AMOUNTS),
    "size": ("10x10", "100000x100", *SIZES[1:]),
    "seed": ("-1", "1e3", str(2**63), *NOT_NUMBERS),
    "camera": NAMES,
    "background": NAMES,
    "preset": NAMES,
    "person-height": ("1", "0.4,0.1", "0,0", "0.1,9", "0.1,0.2,0.3", *NOT_NUMBERS),
    "occluders": ("51", *WHOLE),
    "degradation": ("2.1", *AMOUNTS),
    "name": ("", "a/b", "..", "\0", "a\nb"),
}
WATCH_OPTIONS: dict[str, tuple[str, ...]] = {
    **{name: values for name, values in RUN_OPTIONS.items() if name not in {"frame-stride", "frame-rate", "name"}},
    "segment": ("0", "0s", "25h", "-1h", "1y", "hour,day", "1 h 2", "1e999s", "nanh", *NOT_NUMBERS),
    "keep": ("0", "0d", "0GB", "-7d", "7", "7y", "7d,", "7d,7d", "5GB,5GB", "7d,5GB,1", "infd", *NOT_NUMBERS),
    "give-up-after": ("0", *AMOUNTS),
    "metrics": ("65536", *WHOLE),
}
DETECT_OPTIONS = {
    **{name: RUN_OPTIONS[name] for name in ("backend", "precision", "input-size", "threads", "frame-stride", "name")},
    "min-score": SHARES,
}
ASSOCIATE_OPTIONS = {
    name: RUN_OPTIONS[name]
    for name in ("tracker", "conf", "lost-buffer", "reid-buffer", "draw-threshold", "fill-gaps", "formats", "name")
}
NO_PATHS = ("", " ", "\0", "a\0.toml", "\ud800")
VERBS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "track": (("missing.mp4",), RUN_OPTIONS),
    "watch": (("rtsp://127.0.0.1:9/x",), WATCH_OPTIONS),
    "detect": (("missing.mp4",), DETECT_OPTIONS),
    "associate": (("missing.detections",), ASSOCIATE_OPTIONS),
    "demo": ((), {"seed": SCENE_OPTIONS["seed"]}),
    "synth": ((), SCENE_OPTIONS),
    "draw-zones": (("missing.mp4", "--analytics", "new.toml"), {"port": ("65536", *WHOLE), "analytics": NO_PATHS}),
    "export": ((), {"input-size": SIZES, "format": NAMES}),
    "convert": (("missing.npz", "out.pth"), {"input-size": SIZES, "to": NAMES}),
    "quantize": (("--calibration", "missing.mp4"), {"input-size": SIZES}),
    "batch": (
        ("missing.mp4",),
        {
            "engine": NAMES,
            "workers": ("0", "1025", *WHOLE),
            "threads": ("0", *WHOLE),
            "split": ("0", "0.9", "1e9", *AMOUNTS),
        },
    ),
}
SOURCES = ("nope", "", "\0", "\ud800", "a" * 5000, "file", "ftp://x", "http://[", "99999999999", "~nobody/x", "*.mp4")
UNKNOWN_ARGUMENTS = (
    *((verb, "--no-such-option") for verb in ("track", "demo", "synth", "eval", "export", "quantize", "info")),
    *(("weights", action, "--no-such-option") for action in ("list", "download", "path", "verify")),
    *((verb, "one", "two", "three") for verb in ("demo", "synth", "eval", "export", "quantize", "info")),
    ("convert",), ("convert", "a.npz"), ("convert", "--no-such-option"),
    ("convert", "a.npz", "b.npz", "c.npz"), ("convert", "a", "b", "--check"),
    ("watch",), ("watch", "a.toml", "b.toml"), ("watch", "a.toml", "rtsp://127.0.0.1:9/x"),
    *(("watch", "rtsp://127.0.0.1:9/x", word) for word in ("--show", "--follow=1", "--save-crops", "--frame-rate=5")),
    *(("watch", "rtsp://127.0.0.1:9/x", word) for word in ("--no-such-option", "--config=a.toml", "--name=x")),
    ("track",), ("eval",), ("quantize",), ("weights",), ("weights", "fetch"), ("weights", "list", "sample"), ("fly",),
    ("",), ("-v",), ("\0",), ("\ud800",), ("\x1b[31m",), ("a" * 100_000,),
    ("track", "x", "--json=1"), ("track", "x", "--threads"),
    ("track", "x", "--newest-frame", "--every-frame"), ("track", "x", "--use-gpu", "--threads", "2"),
    ("track", "x", "--no-embeddings", "--tracker", "jde"), ("track", "x", "--f", "1"),
    ("batch",), ("batch", "x", "--show"), ("batch", "x", "--newest-frame"), ("batch", "x", "--address", "ray://head:1"),
    ("batch", "x", "--use-gpu", "--threads", "2"), ("batch", "x", "--use-gpu", "--engine", "ray"),
    ("batch", "s3://a/b.mp4", "--split", "60"), ("batch", "x", "--output-dir", "s3://a/b", "--split", "60"),
    ("batch", "x", "--engine", "ray", "--address", "http://x"), ("batch", "x", "--engine", "ray", "--address", ""),
    ("batch", "x", "--no-such-option"),
    ("detect",), ("detect", "x", "y"), ("detect", "x", "--tracker", "jde"), ("detect", "x", "--no-such-option"),
    ("associate",), ("associate", "x", "--weights", "sample"), ("associate", "x", "--no-such-option"),
    ("associate", "x", "y", "--source", "v.mp4"), ("associate", "x", "--no-embeddings", "--tracker", "jde"),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of three images."""
    path = tmp_path / "street"
    path.mkdir()
    for index, image in enumerate(walking_boxes(3)):
        cv2.imwrite(str(path / f"{index}.png"), image)
    return path


@pytest.fixture
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a fake network: what follows the command line is not under test."""

    def from_options(options: ModelOptions) -> FairMOT:
        return FairMOT.from_backend(FakeBackend(), tracker=options.tracker_config)

    monkeypatch.setattr(FairMOT, "from_options", from_options)


@dataclass(frozen=True)
class Printed:
    """A command that ended, as `trials.Ended` describes a process."""

    code: int
    stdout: str
    stderr: str


class Commands:
    """Runs commands in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: str) -> Printed:
        try:
            code = main(words)
        except SystemExit as request:
            code = int(request.code or 0)
        return Printed(code, *self._capsys.readouterr())

    def hub(self, *words: str) -> Printed:
        try:
            Module.from_backend(FakeBackend()).run_cmd(list(words))
            code = 0
        except SystemExit as request:
            code = int(request.code or 0)
        return Printed(code, *self._capsys.readouterr())


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    monkeypatch.chdir(tmp_path)
    return Commands(capsys)


def one_line(printed: Printed, *words: str, code: int) -> None:
    """Assert that a command printed one line, and nothing else."""
    assert printed.code == code, printed
    assert not printed.stdout
    lines = printed.stderr.splitlines()
    assert len(lines) == 1, printed.stderr
    assert len(lines[0]) <= 320
    assert lines[0].isprintable(), lines[0]
    assert lines[0].startswith(("fairmot_dla34", "hub run fairmot_dla34")), lines[0]
    for word in words:
        assert word in lines[0], lines[0]


def short(value: str) -> str:
    return ascii(value[:40])


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_value_is_wrong_usage(verb: str, command: Commands, trials: Trials) -> None:
    required, options = VERBS[verb]
    for option, values in options.items():
        for value in values:
            with trials(f"{verb}, wrong value of an option", f"--{option} {short(value)}"):
                one_line(command(verb, *required, f"--{option}={value}"), f"--{option}", code=2)


def test_a_wrong_value_is_wrong_usage_in_paddlehub_too(command: Commands, trials: Trials) -> None:
    options: Mapping[str, tuple[str, ...]] = {
        **RUN_OPTIONS,
        **dict.fromkeys(("use-gpu", "visualization", "overwrite", "newest-frame"), ("", "2", "maybe", "None", "\0")),
    }
    for option, values in options.items():
        name = f"--{option.replace('-', '_')}"
        for value in values:
            with trials("hub run, wrong value of an option", f"{name} {short(value)}"):
                one_line(command.hub("--video_stream", "missing.mp4", f"{name}={value}"), name, code=2)


def test_unknown_and_missing_arguments_are_wrong_usage(command: Commands, trials: Trials) -> None:
    for words in UNKNOWN_ARGUMENTS:
        with trials("unknown or missing arguments", short(" ".join(words))):
            one_line(command(*words), code=2)
    for line in ("", "--video_stream", "--video_stream x --no_such_option", "--video_stream x y"):
        with trials("unknown or missing arguments", f"hub run {line}"):
            one_line(command.hub(*line.split()), code=2)


def test_a_misspelled_option_is_named(command: Commands, trials: Trials) -> None:
    for words, option in {
        ("track", "x", "--output_dir", "out"): "--output-dir",
        ("track", "x", "--outputdir=out"): "--output-dir",
        ("track", "x", "--no-visualisation"): "--no-visualization",
        ("export", "--imput-size", "64x64"): "--input-size",
        ("weights", "list", "--jsn"): "--json",
    }.items():
        with trials("misspelled options", short(" ".join(words))):
            one_line(command(*words), f"did you mean {option}?", code=2)
    with trials("misspelled options", "hub run --output-dir"):
        one_line(command.hub("--video_stream", "x", "--output-dir", "out"), "did you mean --output_dir?", code=2)


def test_arguments_of_paddlehub_that_are_not_a_list_of_text(trials: Trials) -> None:
    for words in (None, "--video_stream x", b"x", 1, [b"x"], ["--video_stream", 3], [None], {"--video_stream": "x"}):
        with trials("hub run, arguments that are not text", repr(words)), pytest.raises(FairMOTError, match="argv is"):
            Module.from_backend(FakeBackend()).run_cmd(words)


def test_messages_of_commands_name_what_a_command_takes(command: Commands, trials: Trials) -> None:
    with trials("messages of commands", "source"):
        one_line(command("track", "missing.mp4"), "or an rtsp://, http://, https:// or rtmp:// URL. Check", code=1)
    with trials("messages of commands", "verbose after the verb"):
        printed = command("weights", "-v", "path", "sample")
        assert printed.code == 0
        assert printed.stdout.endswith("sample.npz\n")


def test_files_that_cannot_be_used_are_errors_not_wrong_usage(
    command: Commands, folder: Path, tmp_path: Path, trials: Trials
) -> None:
    (tmp_path / "file").write_text("mine")
    weights = ("nope", "", "\0", "\ud800", "a" * 5000, str(tmp_path), "file", "~nobody/x", "/dev/null", "a/" * 3000)
    for value in weights:
        for verb, words in {"track": (str(folder), "--output-dir", "out"), "export": ()}.items():
            with trials("weights that do not exist or are not weights", f"{verb} {short(value)}"):
                one_line(command(verb, *words, f"--weights={value}"), code=1)
        with trials("weights that do not exist or are not weights", f"convert {short(value)}"):
            one_line(command("convert", "--", value, "out.pth"), code=1)
        for action in ("download", "path", "verify"):
            with trials("weights that do not exist or are not weights", f"{action} {short(value)}"):
                printed = command("weights", action, value)
                if action == "verify" or printed.code:
                    one_line(printed, code=1)
    for value in SOURCES:
        with trials("source that does not exist", short(value)):
            one_line(command("track", "--weights=sample", "--output-dir=out", "--", value), code=1)


@pytest.mark.parametrize("verb", ["track", "batch", "demo", "synth", "export"])
def test_output_folders_that_cannot_be_used(
    verb: str, command: Commands, folder: Path, tmp_path: Path, trials: Trials
) -> None:
    (tmp_path / "file").write_text("mine")
    source = (str(folder), "--weights=sample")
    words = {"track": source, "batch": source, "synth": ("--frames=1",), "export": ("--weights=sample",)}
    for value, code in {"file": 1, "file/x": 1, "/proc/x": 1, "\0": 2, "\ud800": 2, "a" * 5000: 2}.items():
        with trials("output folder that cannot be used", f"{verb} {short(value)}"):
            one_line(command(verb, *words.get(verb, ()), f"--output-dir={value}"), code=code)
    assert (tmp_path / "file").read_text() == "mine"


def test_files_that_convert_cannot_write(command: Commands, tmp_path: Path, trials: Trials) -> None:
    (tmp_path / "file.pth").write_text("mine")
    (tmp_path / "folder.pth").mkdir()
    os.mkfifo(tmp_path / "pipe.pth")
    paths = ("file.pth", "folder.pth", "pipe.pth", "file.pth/x.pth", "/proc/x.pth", "x", "x.txt", ".pth", "", ".")
    for value in (*paths, "\0.pth", "\ud800.pth", "a" * 5000 + ".pth", "/dev/null", "x.PTHH"):
        with trials("output file that cannot be written", f"convert {short(value)}"):
            one_line(command("convert", "sample", "--", value), code=1)
    assert (tmp_path / "file.pth").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.pth", "folder.pth", "pipe.pth"]


BROKEN_TOML: dict[str, tuple[bytes, str]] = {
    "syntax": (b"[tracker\n", "not valid TOML"),
    "no value": (b"[tracker]\nconf_thres =\n", "not valid TOML"),
    "two values": (b"[tracker]\nconf_thres = 0.1\nconf_thres = 0.2\n", "not valid TOML"),
    "two tables": (b"[tracker]\n[tracker]\n", "not valid TOML"),
    "huge number": (b"[tracker]\nconf_thres = " + b"9" * 5000, "not valid TOML"),
    "nesting": (b"[tracker]\nconf_thres = " + b"[" * 12_000, "not valid TOML"),
    "dotted keys": (b"[tracker]\n" + b".".join([b"a"] * 7_000) + b" = 1\n", "cfg.toml"),
    "control characters": (b"[tracker]\nconf_thres = '\x1b[31m'\n", "cfg.toml"),
    "not UTF-8": (b"[tracker]\nname = '\xff'\n", "not UTF-8"),
    "UTF-16": ("[tracker]\n".encode("utf-16"), "not UTF-8"),
    "binary": (bytes(range(256)), "cfg.toml"),
    "too long": (b"# " + b"x" * 17_000, "bytes"),
    "empty": (b"", "[tracker]"),
    "no table": (b"conf_thres = 0.5\n", "conf_thres"),
    "other table": (b"[tracker]\n[video]\n", "video"),
    "array of tables": (b"[[tracker]]\nconf_thres = 0.5\n", "[tracker]"),
    "tracker is a number": (b"tracker = 1\n", "[tracker]"),
    "unknown key": (b"[tracker]\nconf_tresh = 0.5\n", "conf_tresh"),
    "private key": (b"[tracker]\n__class__ = 1\n", "__class__"),
    "property": (b"[tracker]\nbuffer_s = 1\n", "buffer_s"),
    "escaped key": (b'[tracker]\n"\\u001b[31m" = 1\n', "cfg.toml"),
    "long key": (b"[tracker]\n" + b"k" * 12_000 + b" = 1\n", "cfg.toml"),
    "unknown method": (b"[tracker]\nmethod = 'sort'\n", "sort"),
    "method is a number": (b"[tracker]\nmethod = 1\n", "method"),
    "method is a list": (b"[tracker]\nmethod = ['jde']\n", "method"),
    "embeddings is text": (b"[tracker]\nuse_embeddings = 'no'\n", "use_embeddings"),
    "unused by auto": (b"[tracker]\ntracked_thresh = 0.3\n", "'auto' does not use it"),
    "jde without embeddings": (b"[tracker]\nmethod = 'jde'\nuse_embeddings = false\n", "use_embeddings"),
}
WRONG_VALUES = ("'0.5'", "true", "-1", "2", "nan", "inf", "-inf", "[0.5]", "{a = 1}", "1979-05-27", "07:32:00", "''")


def test_a_settings_file_that_cannot_be_used_is_named(
    command: Commands, folder: Path, tmp_path: Path, trials: Trials
) -> None:
    path = tmp_path / "cfg.toml"
    words = ("track", str(folder), "--weights", "sample", "--config", str(path))

    def refuse(name: str, content: bytes, *expected: str) -> None:
        path.write_bytes(content)
        with trials("settings file, damaged or with wrong settings", name):
            one_line(command(*words), "cfg.toml", *expected, code=1)

    for name, (content, expected) in BROKEN_TOML.items():
        refuse(name, content, expected)
    for key in ("conf_thres", "det_thresh", "match_thres"):
        for value in WRONG_VALUES:
            refuse(f"{key} = {value}", f"[tracker]\n{key} = {value}\n".encode(), key)
    for key in ("lost_buffer_s", "min_box_area", "vertical_ratio", "reid_buffer_s"):
        for value in (value for value in WRONG_VALUES if value != "2"):
            refuse(f"{key} = {value}", f"[tracker]\n{key} = {value}\n".encode(), key)


def test_random_damage_of_a_settings_file(command: Commands, tmp_path: Path, trials: Trials) -> None:
    """A damaged file is refused, or read: then the missing source is what ends the run."""
    whole = b"[tracker]\nmethod = 'byte'\nconf_thres = 0.35\nlost_buffer_s = 2.0\nuse_embeddings = true\n"
    rng = random.Random(11)  # noqa: S311 (no cryptography)
    path = tmp_path / "cfg.toml"
    for number in range(60):
        content = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            position = rng.randrange(len(content))
            content[position : position + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
        path.write_bytes(content)
        with trials("settings file, random damage", number):
            one_line(command("track", "missing.mp4", "--weights", "sample", "--config", str(path)), code=1)


def test_a_settings_path_that_is_not_a_file(tmp_path: Path, trials: Trials) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(2**30)
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    for path in ("fifo.toml", "huge.toml", "loop.toml", ".", "missing.toml", "/dev/zero"):
        with trials("settings path that is not a file of settings", path):
            ended = run_command("track", "x", "--config", path, cwd=tmp_path, timeout_s=30, memory_bytes=2**33)
            expect_one_line_error(ended, Path(path).name, code=1)


STRANGE_NAMES = (
    "a b",
    "街道",
    "a\nb",
    "\x1b[31mred",
    "\x9bred",
    '"quoted"\\',
    "\udcff",
    "😀",
    "\u202egnp",
    "NaN",
    "a\u2028b",
)


@pytest.mark.usefixtures("_fake_model")
def test_json_is_valid_for_any_name(command: Commands, folder: Path, tmp_path: Path, trials: Trials) -> None:
    for name in STRANGE_NAMES:
        with trials("JSON of a source with a strange name", short(name)):
            source = tmp_path / name
            folder.rename(source)
            try:
                printed = command("track", str(source), "--output-dir", str(tmp_path / "out" / name), "--json")
            finally:
                source.rename(folder)
            assert printed.code == 0, printed.stderr
            assert json.loads(printed.stdout)["frames"] == 3
            assert all(character.isprintable() or character == "\n" for character in printed.stdout)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_json_is_valid_in_any_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch, trials: Trials) -> None:
    class Output:
        pass

    output = Output()
    output.encoding = encoding  # type: ignore[attr-defined]
    monkeypatch.setattr("sys.stdout", output)
    for name in STRANGE_NAMES:
        for number in (float("nan"), float("inf"), -float("inf"), 1e308, 0.1):
            with trials("JSON in an encoding of stdout", f"{short(name)} {number}"):
                text = printable_json(json.dumps({"name": name, "number": number}))
                value = json.loads(text.encode(encoding).decode(encoding), parse_constant=pytest.fail)
                assert value == {"name": name, "number": number if np.isfinite(number) else None}


class Paths:
    """Path objects whose text is not a path."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __fspath__(self) -> Any:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def wrong_values() -> Iterator[Any]:
    yield from (
        b"sample",
        bytearray(b"x"),
        [],
        ["sample"],
        (),
        {},
        {"a": 1},
        set(),
        0,
        1,
        -1,
        1.5,
        float("nan"),
        10**5000,
    )
    yield from (
        True,
        object(),
        np.array([1, 2]),
        np.array("sample"),
        np.float32(1),
        lambda: None,
        ModelOptions,
        FakeBackend(),
    )
    yield from (
        "",
        " ",
        "\0",
        "a" * 5000,
        "\ud800",
        "\x1b[31m",
        "x" * 1_000_000,
        "9" * 5000 + "x32",
        "~\0",
        "~\ud800",
        "~nobody",
    )
    yield from (Paths(b"x"), Paths("\0"), Paths(1), Paths(OSError("no")))


@pytest.mark.parametrize(
    "name", ["weights", "backend", "precision", "tracker", "input_size", "threads", "streams", "offline"]
)
def test_wrong_values_in_python_are_errors_of_the_package(name: str, trials: Trials) -> None:
    """A value that an argument may have, such as 1 for ``threads``, is no trial."""
    valid: dict[str, tuple[Any, ...]] = {"threads": (1,), "streams": (1,), "offline": (0, 1, True, np.float32(1))}
    for number, value in enumerate(wrong_values()):
        if any(type(value) is type(other) and value == other for other in valid.get(name, ())):
            continue
        with trials("settings of a model in Python", f"{name} {type(value).__name__} {number}"):
            error: FairMOTError | None = None
            try:
                ModelOptions(**{"weights": "sample", name: value}).load().close()
            except FairMOTError as caught:
                error = caught
            assert error is not None
            assert len(str(error)) <= 300
            assert str(error).isprintable()
