"""Help, examples and messages of the command line; options of `track`, of its settings file and of ``hub run``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairmot_dla34 import TrackerConfig
from fairmot_dla34.arguments import Parser
from fairmot_dla34.arguments.parser import SettingsFileError
from fairmot_dla34.arguments.run_settings import RunSettings, run_settings
from fairmot_dla34.association import find_method
from fairmot_dla34.commands.main import VERBS, main, make_parser
from fairmot_dla34.hub.run import make_parser as make_hub_parser
from fairmot_dla34.tracking.options import ModelOptions, OutputOptions, SourceOptions

CHEAP = ("weights list", "weights path", "weights verify sample", "info", "synth")


def verb_parsers() -> Iterator[tuple[str, Parser]]:
    """Yield all commands with their parsers, ``hub run`` and the actions of ``weights`` included."""
    top = make_parser(list(VERBS))
    yield "", top
    yield "hub run", make_hub_parser()
    for verb, parser in actions_of(top).items():
        yield verb, parser
        for action, inner in actions_of(parser).items():
            yield f"{verb} {action}", inner


def actions_of(parser: argparse.ArgumentParser) -> dict[str, Any]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


PARSERS = dict(verb_parsers())


def examples(parser: Parser) -> list[list[str]]:
    lines = [line.strip() for line in (parser.epilog or "").splitlines()]
    return [
        shlex.split(line) for line in lines if line.startswith(("fairmot_dla34 ", "hub run ")) and "VERB" not in line
    ]


@pytest.mark.parametrize("verb", PARSERS)
def test_the_help_shows_every_default_and_two_examples(verb: str) -> None:
    parser = PARSERS[verb]
    assert len(examples(parser)) >= 2
    assert parser.format_help().rstrip().endswith(str(parser.epilog).rstrip())
    for action in parser._actions:
        general = isinstance(action, (argparse._HelpAction, argparse._VersionAction, argparse._SubParsersAction))
        if general or action.required or action.dest == "verbose":
            continue
        assert "default: " in str(action.help), action.option_strings
        assert action.help is not None
        assert "None" not in action.help


@pytest.mark.parametrize("verb", PARSERS)
def test_each_example_is_accepted(verb: str) -> None:
    for words in examples(PARSERS[verb]):
        if words[0] == "hub":
            assert words[:3] == ["hub", "run", "fairmot_dla34"]
            make_hub_parser().parse(words[3:])
        else:
            make_parser(words).parse(words[1:])


def test_cheap_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for parser in PARSERS.values():
        for words in examples(parser):
            if " ".join(words[1:]).startswith(CHEAP) and "--frames 500" not in " ".join(words):
                assert main(words[1:]) == 0, capsys.readouterr().err
                ran += 1
    assert ran >= 8


def test_without_a_verb_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as request:
        main([])
    assert request.value.code == 2
    shown = capsys.readouterr()
    assert not shown.out
    for verb, text in VERBS.items():
        assert re.search(rf"^ +{verb}\s+{re.escape(text)}$", shown.err, re.MULTILINE), f"{verb}: the text is too long"
    assert len(shown.err.splitlines()) < 42


def test_options_that_mean_the_same_have_the_same_name_and_help() -> None:
    """A name stands for one thing, with one placeholder.

    Except: ``synth`` describes a video that does not exist yet, and ``prepare`` makes what ``train --val`` names.
    """
    others = {("synth", "--frame-rate"), ("synth", "--name"), ("prepare", "--val")}
    seen: dict[str, tuple[str, object]] = {}
    for verb, parser in PARSERS.items():
        for action in parser._actions:
            option = next((word for word in action.option_strings if word.startswith("--")), "")
            if not option or verb == "hub run" or (verb, option) in others:
                continue
            first = seen.setdefault(option, (verb, action.metavar))
            assert action.metavar == first[1], f"{option} in {verb} and {first[0]}"


def test_hub_run_has_the_options_of_track() -> None:
    track = {action.dest for action in PARSERS["track"]._actions} - {"source", "json", "verbose", "resume"}
    hub = {action.dest: action for action in PARSERS["hub run"]._actions}
    assert track == set(hub) - {"video_stream"}
    for action in hub.values():
        assert all("-" not in word[2:] for word in action.option_strings if word.startswith("--"))
        assert action.dest == "help" or action.option_strings, "PaddleHub has options only"


def settings_of(*words: str) -> RunSettings:
    return run_settings(make_parser(["track"]).parse(["track", "street.mp4", *words]))


def test_track_without_options_has_the_defaults_of_python_but_draws_every_track() -> None:
    assert settings_of() == RunSettings(ModelOptions(), SourceOptions(), OutputOptions(draw_threshold=0.0))


def test_the_reid_buffer_arrives_and_is_refused_without_embeddings(capsys: pytest.CaptureFixture[str]) -> None:
    assert settings_of("--reid-buffer", "30").model.tracker == TrackerConfig(reid_buffer_s=30.0)
    for words in (("--tracker", "byte"), ("--no-embeddings",)):
        with pytest.raises(SystemExit):
            settings_of("--reid-buffer", "30", *words)
        assert "--reid-buffer is 30.0, but with" in capsys.readouterr().err


def test_hub_run_without_options_has_the_defaults_of_python() -> None:
    arguments = make_hub_parser().parse(["--video_stream", "street.mp4"])
    assert run_settings(arguments) == RunSettings(ModelOptions(), SourceOptions(), OutputOptions())


def test_every_option_arrives() -> None:
    words = (
        "--weights sample --input-size 576x320 --backend openvino --precision fp32 --threads 2 --tracker byte "
        "--conf 0.5 --lost-buffer 3 --no-embeddings --frame-rate 12.5 --frame-stride 2 --every-frame "
        "--output-dir out --name n --overwrite --formats mot,csv --no-visualization --fill-gaps 7 "
        "--draw-threshold 0.1 --labels id --line-width 3"
    )
    settings = settings_of(*words.split())
    tracker = TrackerConfig(method="byte", conf_thres=0.5, lost_buffer_s=3.0, use_embeddings=False)
    model = settings.model
    assert (model.weights, str(model.input_size), model.backend) == ("sample", "576x320", "openvino")
    assert (model.precision, model.threads, model.tracker) == ("fp32", 2, tracker)
    assert settings.source == SourceOptions(12.5, 2, newest_frame=False)
    assert settings.output == OutputOptions(
        output_dir="out",
        visualization=False,
        draw_threshold=0.1,
        formats=("mot", "csv"),
        fill_gaps=7,
        name="n",
        overwrite=True,
        labels="id",
        line_width=3,
    )


def test_hub_run_takes_true_and_false() -> None:
    words = "--video_stream v --visualization False --use_gpu --overwrite true --newest_frame 0 --use_embeddings 1"
    arguments = make_hub_parser().parse(words.split())
    assert (arguments.visualization, arguments.use_gpu, arguments.overwrite) == (False, True, True)
    assert (arguments.newest_frame, arguments.use_embeddings) == (False, True)


class TestSettingsFile:
    """``--config FILE``: settings of `TrackerConfig` in a TOML file."""

    def settings(self, folder: Path, text: str, *words: str) -> Any:
        path = folder / "tracker.toml"
        path.write_text(text)
        return settings_of("--config", str(path), *words).model.tracker

    def test_all_settings_can_be_given(self, tmp_path: Path) -> None:
        """All that a method uses, for each method."""
        values = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 8.0, 9.0, 1.0)
        every = dict(zip([field.name for field in dataclasses.fields(TrackerConfig)][1:], values, strict=False))
        for method in ("auto", "jde", "byte"):
            unused = find_method(method).unused_settings
            table = {name: value for name, value in every.items() if name not in unused} | {"method": method}
            text = "\n".join(["[tracker]", *(f"{name} = {json.dumps(value)}" for name, value in table.items())])
            assert self.settings(tmp_path, text) == TrackerConfig.from_mapping(table)

    @pytest.mark.parametrize("words", [(), ("--tracker", "auto")])
    def test_a_setting_that_the_method_does_not_use_is_refused(self, tmp_path: Path, words: tuple[str, ...]) -> None:
        """It would be ignored without a word, as in a file written for `jde`, which was the default."""
        text = "[tracker]\ntracked_thresh = 0.3\n"
        message = r"tracker.toml, \[tracker\]: tracked_thresh is 0.3, but method 'auto' does not use it; .* jde, byte"
        with pytest.raises(SettingsFileError, match=message):
            self.settings(tmp_path, text, *words)
        assert self.settings(tmp_path, text, "--tracker", "jde") == TrackerConfig(method="jde", tracked_thresh=0.3)

    def test_options_win_over_the_file(self, tmp_path: Path) -> None:
        text = "[tracker]\nmethod = 'auto'\nconf_thres = 0.5\nlost_buffer_s = 3\nuse_embeddings = false\n"
        words = ("--tracker", "byte", "--conf", "0.6")
        assert self.settings(tmp_path, text, *words) == TrackerConfig(
            method="byte", conf_thres=0.6, lost_buffer_s=3, use_embeddings=False
        )

    def test_without_a_method_it_is_auto_with_the_settings_of_the_weights(self, tmp_path: Path) -> None:
        """As without a file: weights of vehicles report wide boxes."""
        text = "[tracker]\nconf_thres = 0.5\n"
        assert self.settings(tmp_path, text) == TrackerConfig(method="auto", conf_thres=0.5)
        weights = ("--weights", "fairmot_dla34_30e_1088x608_kitti_vehicle")
        expected = TrackerConfig(method="auto", conf_thres=0.5, min_box_area=0, vertical_ratio=0)
        assert self.settings(tmp_path, text, *weights) == expected
        assert settings_of("--conf", "0.5", *weights).model.tracker == expected

    def test_an_empty_table_changes_nothing(self, tmp_path: Path) -> None:
        assert self.settings(tmp_path, "[tracker]\n") == TrackerConfig()

    def test_a_file_of_windows_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "tracker.toml"
        path.write_bytes("\ufeff[tracker]\r\nconf_thres = 0.5\r\n".encode())
        assert settings_of("--config", str(path)).model.tracker == TrackerConfig(conf_thres=0.5)


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("use_gpu is True, but (a: use_gpu is True)", "--use-gpu is given, but (a: --use-gpu is given)"),
        ("run on the CPU with use_gpu=False.", "run on the CPU without --use-gpu."),
        ("threads is 2 and use_gpu is True; leave", "--threads is 2 and --use-gpu is given; leave"),
        ("tracked_thresh is 0.3, but method 'auto' does", "tracked_thresh is 0.3, but method 'auto' does"),
        ("use_embeddings is False, but method='byte' exists", "--no-embeddings is given, but --tracker byte exists"),
        ("newest_frame is True for images", "--newest-frame is given for images"),
        ("newest_frame is False for images", "--every-frame is given for images"),
        ("Input size is 3; expected", "--input-size is 3; expected"),
        ("Tracker method is 'x'; expected", "--tracker is 'x'; expected"),
        ("conf_thres is 3; expected", "--conf is 3; expected"),
        ("The name is long; the threads is odd", "The name is long; the threads is odd"),
        ("/data/use_gpu/a.mp4 is odd; x_use_gpu=False", "/data/use_gpu/a.mp4 is odd; x_use_gpu=False"),
        ("config.frame_stride is 3", "config.frame_stride is 3"),
        ("source is 3", "source is 3"),
        ("", ""),
    ],
)  # fmt: skip
def test_messages_name_options(message: str, shown: str) -> None:
    parser = PARSERS["track"]
    assert parser.with_option_names(message) == shown


def test_messages_of_hub_run_name_its_options() -> None:
    parser = make_hub_parser()
    assert parser.with_option_names("use_gpu is True; or use_gpu=False") == "--use_gpu is True; or --use_gpu False"
    assert parser.with_option_names("frame_stride is 0; expected") == "--frame_stride is 0; expected"


def test_weights_list_shows_places_and_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    text = capsys.readouterr().out
    assert "sample: ships in this package, 40 MB" in text
    assert "fairmot_dla34_30e_1088x608: not here; downloaded on first use from paddledet" in text
    assert main(["weights", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["sample"]["here"]
    assert Path(rows["sample"]["path"]).stat().st_size == rows["sample"]["bytes"]
    assert not rows["fairmot_dla34_30e_1088x608"]["here"]


@pytest.mark.parametrize("page", ["cli.md", "cli.zh.md"])
def test_the_page_about_the_command_line_lists_every_option_and_its_commands_are_accepted(
    page: str, tmp_path: Path
) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / page).read_text("utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `--")]
    listed = {option: row[-1].strip("`") for row in rows for option in re.findall(r"`(--[\w-]+)", row[0])}
    options = {
        word: action.dest
        for action in PARSERS["track"]._actions
        for word in action.option_strings
        if word.startswith("--") and word != "--help"
    }
    others = {
        "--tracker": "method",
        "--config": "TrackerConfig",
        "--json": "",
        "--resume": "",
        "--verbose": "",
    }  # other names, or none
    assert listed == options | others
    assert all(f"`{verb}" in text for verb in VERBS)
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith(("fairmot_dla34 ", "hub run "))]
    assert len(commands) == 3
    for words in commands:
        parser, arguments = (make_hub_parser(), words[3:]) if words[0] == "hub" else (make_parser(words), words[1:])
        parser.parse(arguments)
    path = tmp_path / "tracker.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0], "utf-8")
    tracker = settings_of("--config", str(path), "--lost-buffer", "2").model.tracker
    assert tracker == TrackerConfig("auto", conf_thres=0.35, low_conf_thres=0.15, lost_buffer_s=2, min_box_area=100)
