"""The benchmark that compares association methods: equal inputs for all, true means, and figures that add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("trackeval", reason="NO TRACKEVAL: pip install '.[eval]' to run this test")

from association import main
from association_candidates import PREFIX, SPACE, candidates, leave_one_set_out
from association_records import Records
from association_runs import measure
from association_scoring import COMBINED, FIGURES, Figures, score_run
from association_sequences import ScoredSequence, every_nth, scored_rows
from association_sets import SequenceSet
from association_shaking import Run, repeated, runs
from association_simulations import rows_of, truth_frames
from association_tables import embedding_costs, markdown, rows, verdict
from contestant import Contestant, Size, Update
from own_methods import own_methods
from simulated_detector import DetectorConfig, detect
from simulated_world import WorldConfig, simulate

AUTO, BYTE = "fairmot_dla34 auto, embeddings", "fairmot_dla34 byte, embeddings"
PLAIN, BACKWARDS, SHAKEN = Run(backwards=False, seed=0), Run(backwards=True, seed=0), Run(backwards=False, seed=1)


def simulated(seed: int) -> ScoredSequence:
    world = WorldConfig(seed, people=8, frame_rate=10.0, seconds=2.0)
    frames, size = simulate(world), (world.width, world.height)
    config = DetectorConfig(seed, likeness=0.3)
    return ScoredSequence(f"world {seed}", 10.0, size, detect(frames, 10.0, size, config), rows_of(frames))


@pytest.fixture(scope="module")
def sequences() -> list[ScoredSequence]:
    return [simulated(seed) for seed in (1, 2)]


@pytest.fixture(scope="module")
def tiny(sequences: list[ScoredSequence]) -> SequenceSet:
    return SequenceSet("tiny", lambda: sequences)


@pytest.fixture(scope="module")
def own() -> dict[str, Contestant]:
    return {one.name: one for one in own_methods()}


def figures(value: float) -> dict[str, Figures]:
    """Return the figures of a set of one sequence that all have one value."""
    one = dict.fromkeys(FIGURES, value)
    return {"street": one, COMBINED: one}


def unused(_: float, __: Size) -> Update:
    raise AssertionError


def recorded(path: Path, values: dict[tuple[str, str, Run], float]) -> Records:
    """Return records with values by set, contestant and run."""
    records = Records(path)
    for (one, name, run), value in values.items():
        records.add(one, Contestant(name, "", unused), run, figures(value), combined=False)
    return records


def test_shaken_detections_depend_on_the_seed_and_the_sequence_only(sequences: list[ScoredSequence]) -> None:
    first, again = (repeated(sequences[0], SHAKEN) for _ in range(2))
    for a, b, plain in zip(first.frames, again.frames, sequences[0].frames, strict=True):
        assert np.array_equal(a.boxes, b.boxes)
        assert len(a) <= len(plain)
        assert set(a.scores.tolist()) <= set(plain.scores.tolist())
    other = repeated(sequences[0], Run(backwards=False, seed=2))
    assert any(not np.array_equal(a.boxes, b.boxes) for a, b in zip(first.frames, other.frames, strict=True))
    assert len(runs(3)) == len(set(map(str, runs(3)))) == 8


def test_shaking_is_as_strong_as_documented() -> None:
    sequence = simulated(3)
    kept = [repeated(sequence, Run(backwards=False, seed=seed)) for seed in range(1, 21)]
    share = sum(len(frame) for one in kept for frame in one.frames) / sum(map(len, sequence.frames)) / len(kept)
    assert share == pytest.approx(0.97, abs=0.01)
    shifts = []
    for one in kept:
        for frame, plain in zip(one.frames, sequence.frames, strict=True):
            if len(frame) == len(plain):
                sizes = np.tile(plain.boxes[:, 2:] - plain.boxes[:, :2], 2)
                shifts.append(((frame.boxes - plain.boxes) / sizes).ravel())
    assert np.concatenate(shifts).std() == pytest.approx(0.01, rel=0.1)


def test_backwards_turns_detections_and_truth_together(sequences: list[ScoredSequence]) -> None:
    turned = repeated(sequences[0], BACKWARDS)
    assert turned.frames[0] is sequences[0].frames[-1]
    assert turned.truth[:, 0].min() == 1
    back = repeated(turned, BACKWARDS)
    assert np.array_equal(back.truth, sequences[0].truth)


def test_every_nth_frame_keeps_its_own_truth(sequences: list[ScoredSequence]) -> None:
    thin = every_nth(sequences[0], 4)
    assert thin.frame_rate == 2.5
    assert thin.frames[1] is sequences[0].frames[4]
    fifth = sequences[0].truth[sequences[0].truth[:, 0] == 5, 1:]
    assert np.array_equal(thin.truth[thin.truth[:, 0] == 2, 1:], fifth)
    assert sequences[0].truth[:, 0].max() == 20


def test_sequences_are_the_same_once_they_were_kept(tiny: SequenceSet, tmp_path: Path) -> None:
    loaded = tiny.load(tmp_path)
    for one, known in zip(loaded, tiny.make(), strict=True):
        assert (one.name, one.frame_rate, one.size) == (known.name, known.frame_rate, known.size)
        assert np.array_equal(one.truth, known.truth)
        for a, b in zip(one.frames, known.frames, strict=True):
            assert np.array_equal(a.boxes, b.boxes)
            assert a.embeddings is not None
            assert b.embeddings is not None
            assert np.array_equal(a.embeddings, b.embeddings)


def test_hidden_people_of_rendered_scenes_are_not_scored() -> None:
    rows, classes = scored_rows("1,1,0,0,9,9,1,1,0.9\n1,2,5,0,9,9,0,1,0.1\n")
    assert classes
    assert rows[:, 6].tolist() == [1, 0]
    rows, classes = scored_rows("1,1,0,0,9,9,1,-1,-1,-1\n")
    assert not classes
    assert rows.shape == (1, 9)


def test_truth_frames_know_who_hides_whom(sequences: list[ScoredSequence]) -> None:
    truth = np.array(
        [[1, 7, 0, 0, 10, 20, 1, -1, -1], [1, 8, 5, 0, 10, 30, 1, -1, -1], [3, 7, 0, 0, 10, 20, 1, -1, -1]]
    )
    first, second, third = truth_frames(truth, 3)
    assert first.visibility.tolist() == [0.5, 1.0]
    assert first.hidden_by.tolist() == [1, -1]
    assert len(second.ids) == 0
    assert third.hidden_by.tolist() == [-1]
    assert len(truth_frames(sequences[0].truth, 20)) == 20


def test_means_and_deviations_are_those_of_the_runs(
    tiny: SequenceSet, own: dict[str, Contestant], tmp_path: Path
) -> None:
    records = Records(tmp_path / "figures.json")
    assert measure(tiny, tmp_path, [own[AUTO], own[BYTE]], runs(1), records, processes=1)
    found = {row.name: row for row in rows(Records(tmp_path / "figures.json"), "tiny")}
    assert set(found) == {AUTO, BYTE}
    each = [score_run(tiny.load(tmp_path), own[AUTO].start, run) for run in runs(1)]
    hota = [np.mean([one["world 1"]["hota"], one["world 2"]["hota"]]) for one in each]
    switches = [one["world 1"]["id_switches"] + one["world 2"]["id_switches"] for one in each]
    assert found[AUTO].means[0] == pytest.approx(np.mean(hota))
    assert found[AUTO].deviations[0] == pytest.approx(np.std(hota, ddof=1))
    assert found[AUTO].means[3] == pytest.approx(np.mean(switches))
    assert 30 < np.mean(hota) < 100


def test_a_file_adds_up_and_no_run_is_repeated(tiny: SequenceSet, own: dict[str, Contestant], tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    early, late = Records(path), Records(path)
    measure(tiny, tmp_path, [own[AUTO]], [PLAIN], early, processes=1)
    measure(tiny, tmp_path, [own[BYTE]], [PLAIN, BACKWARDS], late, processes=1)
    found = {row.name: row.runs for row in rows(Records(path), "tiny")}
    assert found == {AUTO: (str(PLAIN),), BYTE: (str(PLAIN), str(BACKWARDS))}
    again = [Contestant(AUTO, "", unused, uses_embeddings=True)]
    assert measure(tiny, tmp_path, again, [PLAIN], Records(path), processes=1)


def test_a_contestant_that_fails_is_named_and_the_others_go_on(
    tiny: SequenceSet, own: dict[str, Contestant], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: float, __: Size) -> Update:
        return lambda _: [(1, 0.0, 0.0, np.nan, 1.0)]

    records = Records(tmp_path / "figures.json")
    entries = [Contestant("broken", "", broken), own[AUTO]]
    assert not measure(tiny, tmp_path, entries, [PLAIN], records, processes=1)
    assert "tiny: broken, forwards, plain: ValueError" in capsys.readouterr().err
    assert [row.name for row in rows(records, "tiny")] == [AUTO]


def test_the_verdict_compares_the_runs_that_both_have(tmp_path: Path) -> None:
    values = {
        ("s", AUTO, PLAIN): 60.0,
        ("s", AUTO, BACKWARDS): 50.0,
        ("s", "few runs", BACKWARDS): 52.0,
        ("s", "steady peer", PLAIN): 57.0,
        ("s", "steady peer", BACKWARDS): 51.0,
    }
    found = rows(recorded(tmp_path / "a.json", values), "s")
    assert [row.name for row in found] == ["few runs", AUTO, "steady peer"]
    assert found[0].line(found[1]) == "| few runs | 52.00 | 52.00 | 52.00 | 52 | 1 | +2.00 |"
    assert found[2].line(found[1]).endswith("| 54.00 ± 4.24 | 54.00 ± 4.24 | 54.00 ± 4.24 | 54 ± 4 | 2 | -1.00 |")
    assert "HOTA BEHIND few runs (2.00 ahead, deviation 0.00)" in verdict(found)
    del values["s", "few runs", BACKWARDS]
    assert verdict(rows(recorded(tmp_path / "b.json", values), "s")).endswith("HOTA first; MOTA first; IDF1 first.")
    values["s", "steady peer", PLAIN] = 65.0
    text = verdict(rows(recorded(tmp_path / "c.json", values), "s"))
    assert "HOTA within one standard deviation of steady peer (3.00 ahead, deviation 9.90)" in text
    assert verdict([]) == "`auto` was not measured."


def test_sequences_that_embeddings_make_worse_are_listed(tmp_path: Path) -> None:
    boxes = AUTO.removesuffix(", embeddings")
    values = {("s", AUTO, PLAIN): 60.0, ("s", AUTO, BACKWARDS): 70.0, ("s", boxes, PLAIN): 61.0}
    records = recorded(tmp_path / "a.json", values)
    assert list(embedding_costs(records)) == [("s", "street", -1.0)]
    assert "| s | street | -1.00 |" in markdown(records)


def test_settings_are_chosen_on_the_other_sets(tmp_path: Path) -> None:
    default, other = (one.name for one in candidates(2))
    assert default == f"{PREFIX}its defaults"
    scores = {"a": (50.0, 80.0), "b": (60.0, 55.0), "c": (70.0, 65.0)}
    values = {(one, name, PLAIN): scores[one][i] for one in scores for i, name in enumerate((default, other))}
    text = leave_one_set_out(recorded(tmp_path / "a.json", values))
    changed = other.removeprefix(PREFIX)
    assert "| a | 50.0 / 50.0 / 50.0 | 50.0 / 50.0 / 50.0 | its defaults |" in text
    assert f"| b | 60.0 / 60.0 / 60.0 | 55.0 / 55.0 / 55.0 | {changed} |" in text
    assert "| mean | 60.0 / 60.0 / 60.0 | 56.7 / 56.7 / 56.7 |" in text


def test_settings_differ_and_their_order_does_not_depend_on_their_number() -> None:
    names = [one.name for one in candidates()]
    assert len(set(names)) == len(names)
    assert [one.name for one in candidates(5)] == names[:5]
    assert all(len(values) == len(set(values)) for values in SPACE.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "absent.json"], "no such file"),
        (["--table", "F", "--json", "J"], "expected no other option"),
        (["--data", "D", "--work", "W", "--json", "J", "--contestants", "nobody"], "part of no contestant's name"),
        (
            ["--data", "D", "--work", "W", "--json", "J", "--leave-one-set-out", "2", "--contestants", "boxmot"],
            "expected no --contestants with them",
        ),
        (["--data", "D", "--work", "W"], "--json is missing"),
        (["--data", "D", "--work", "W", "--json", "J", "--seeds", "-1"], "--seeds is -1; expected 0 to 1000"),
        (
            ["--data", "D", "--work", "W", "--json", "J", "--sets", "mars"],
            "--sets is mars; expected one of mot17-frcnn",
        ),
        (["--data", "D", "--work", "W", "--json", "J", "--weights", "a/x.npz", "b/x.npz"], "has one name twice"),
    ],
)
def test_wrong_options_end_with_one_clear_line(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["association.py", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert message in capsys.readouterr().err
