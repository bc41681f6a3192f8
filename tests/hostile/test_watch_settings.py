"""Hostile settings files and sources of `watch`: one line, no password, and no file written."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path

import pytest
from trials import Trials, expect_one_line_error, run_command

from fairmot_dla34.cameras import WatchConfig
from fairmot_dla34.commands.main import main
from fairmot_dla34.errors import InvalidInputError

SECRET = "s3cret"  # noqa: S105 (of a camera that does not exist)
WHOLE = f"""\
weights = "sample"
segment = "hour"
keep = "7d,5GB"
give_up_after_s = 60.5
formats = ["mot"]
[tracker]
method = "byte"
conf_thres = 0.3
[[camera]]
name = "door"
source = "rtsp://viewer:{SECRET}@127.0.0.1:9/door"
weight = 2
max_fps = 10
"""
CAMERA = f'[[camera]]\nname = "door"\nsource = "rtsp://viewer:{SECRET}@127.0.0.1:9/door"\n'
VALUES = (
    "'x'",
    "''",
    "true",
    "-1",
    "0",
    "nan",
    "inf",
    "[1]",
    "{a = 1}",
    "1979-05-27",
    "07:32:00",
    "9" * 4000,
    '"\\u0000"',
)
ACCEPTED = {
    "threads": (), "use_gpu": ("true", "0"), "visualization": ("true", "0"), "draw_threshold": ("0",),
    "fill_gaps": ("0",), "segment": (), "keep": (), "give_up_after_s": (), "metrics": ("0",), "input_size": (),
    "precision": (), "backend": (), "tracker": (), "formats": (), "labels": (), "line_width": (), "anonymise": (),
}  # fmt: skip
BROKEN = {
    "syntax": b"[[camera]\n",
    "nesting": b"weights = " + b"[" * 12_000,
    "not UTF-8": CAMERA.encode() + b"weight = '\xff'\n",
    "UTF-16": CAMERA.encode("utf-16"),
    "binary": bytes(range(256)),
    "too long": b"# " + b"x" * 300_000,
    "empty": b"",
    "control characters in a name": b'[[camera]]\nname = "\\u001b[31m"\nsource = "0"\n',
    "surrogate": b'[[camera]]\nname = "\\ud800"\nsource = "0"\n',
    "escaped key": CAMERA.encode() + b'"\\u001b[31m" = 1\n',
    "long key": CAMERA.encode() + b"k" * 12_000 + b" = 1\n",
    "private key": CAMERA.encode() + b"__class__ = 1\n",
    "null in the source": b'[[camera]]\nname = "a"\nsource = "\\u0000"\n',
    "null in output_dir": b'output_dir = "\\u0000"\n' + CAMERA.encode(),
    "null in weights and no camera": b'weights = "\\u0000"\n',
    "null in analytics": CAMERA.encode() + b'analytics = "\\u0000"\n',
    "analytics is the file itself": CAMERA.encode() + b'analytics = "cameras.toml"\n',
    "analytics is a folder": CAMERA.encode() + b'analytics = "."\n',
    "huge index": b'[[camera]]\nname = "a"\nsource = ' + b"9" * 18 + b"\n",
    "huge index as text": b'[[camera]]\nname = "a"\nsource = "' + b"9" * 5000 + b'"\n',
    "long source": b'[[camera]]\nname = "a"\nsource = "' + b"a" * 5000 + b'"\n',
    "bad URL": b'[[camera]]\nname = "a"\nsource = "http://["\n',
    "unknown home": b'[[camera]]\nname = "a"\nsource = "~nobody/x"\n',
    "device of Windows": b'[[camera]]\nname = "con"\nsource = "0"\n',
    "many cameras of one name": CAMERA.encode() * 500,
    "variable in a variable": b'[[camera]]\nname = "a"\nsource = "rtsp://${${A}}/x"\n',
}


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as error:
        WatchConfig.from_toml(path, {})
    message = str(error.value)
    assert "cameras.toml" in message
    assert SECRET not in message
    assert len(message) <= 300
    assert message.isprintable()
    return message


def test_damaged_settings_files_are_named(tmp_path: Path, trials: Trials) -> None:
    for name, content in BROKEN.items():
        with trials("watch, damaged settings file", name):
            refused(tmp_path / "cameras.toml", content)


def test_wrong_values_of_settings(tmp_path: Path, trials: Trials) -> None:
    for key, accepted in ACCEPTED.items():
        for value in (value for value in VALUES if value not in accepted):
            with trials("watch, wrong value in the settings file", f"{key} = {value[:20]}"):
                refused(tmp_path / "cameras.toml", f"{key} = {value}\n{CAMERA}".encode())
    for key in ("weight", "max_fps", "analytics", "name", "source"):
        for value in VALUES:
            table = "\n".join(line for line in CAMERA.splitlines() if not line.startswith(key))
            valid = {"name": ("'x'",), "source": ("0",)}
            if value not in valid.get(key, ()):
                with trials("watch, wrong value in the settings file", f"[[camera]] {key} = {value[:20]}"):
                    refused(tmp_path / "cameras.toml", f"{table}\n{key} = {value}\n".encode())


def test_random_damage_of_a_settings_file(tmp_path: Path, trials: Trials) -> None:
    """A damaged file is read, or refused in one sentence without the password."""
    rng = random.Random(17)  # noqa: S311 (no cryptography)
    path = tmp_path / "cameras.toml"
    for number in range(300):
        content = bytearray(WHOLE.encode())
        for _ in range(rng.randint(1, 3)):
            position = rng.randrange(len(content))
            content[position : position + rng.randint(0, 3)] = rng.randbytes(rng.randint(0, 3))
        path.write_bytes(content)
        with trials("watch, random damage of the settings file", number):
            try:
                shown = repr(WatchConfig.from_toml(path, {}))
            except InvalidInputError as error:
                shown = str(error)
                assert re.match("Settings file .*cameras.toml", shown)
            assert SECRET not in shown


def test_settings_paths_that_are_not_files(tmp_path: Path, trials: Trials) -> None:
    os.mkfifo(tmp_path / "fifo.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(2**30)
    (tmp_path / "loop.toml").symlink_to("loop.toml")
    (tmp_path / "folder.toml").mkdir()
    for path in ("fifo.toml", "huge.toml", "loop.toml", "folder.toml", "missing.toml"):
        with trials("watch, settings path that is not a file", path):
            ended = run_command("watch", path, cwd=tmp_path, timeout_s=30, memory_bytes=2**33)
            expect_one_line_error(ended, path, code=1)


def test_sources_that_can_never_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trials: Trials
) -> None:
    monkeypatch.chdir(tmp_path)
    for source in ("nope", "", "\0", "\ud800", "a" * 5000, "ftp://u:s3cret@x/y", "http://[", "9" * 30, "~nobody/x"):
        with trials("watch, source that can never work", ascii(source[:30])):
            assert main(["watch", "--weights=sample", "--", source]) == 1
            shown = capsys.readouterr()
            assert not shown.out
            assert len(shown.err.splitlines()) == 1
            assert SECRET not in shown.err
    assert not list(tmp_path.iterdir())
