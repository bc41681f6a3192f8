"""Lists the trackers that work on detections alone: the project's own methods, and the peers."""

from __future__ import annotations

from contestant import Contestant
from own_methods import AUTO, BYTE, own_methods, own_methods_for_frcnn, own_tracker
from peers_boxmot import boxmot_trackers, boxmot_trackers_for_fairmot
from peers_paddledetection import paddledetection_for_frcnn, paddledetection_trackers
from peers_roboflow import roboflow_trackers, roboflow_trackers_for_fairmot

__all__ = [
    "AUTO",
    "BYTE",
    "Contestant",
    "contestants",
    "frcnn_contestants",
    "own_tracker",
    "peers_for_fairmot",
]


def contestants() -> list[Contestant]:
    """Return all contestants at their default settings, also those that are not installed."""
    return [*own_methods(), *roboflow_trackers(), *boxmot_trackers(), *paddledetection_trackers()]


def frcnn_contestants() -> list[Contestant]:
    """Return those that are set for the scores of MOT17's public detections (FRCNN); they use no embeddings."""
    return [*own_methods_for_frcnn(), *paddledetection_for_frcnn()]


def peers_for_fairmot() -> list[Contestant]:
    """Return the peers with the score thresholds of this package, which suit the scores of FairMOT.

    PaddleDetection's own settings for FairMOT are among `contestants`.
    """
    return [*roboflow_trackers_for_fairmot(), *boxmot_trackers_for_fairmot()]
