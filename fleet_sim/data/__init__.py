"""Labelled images: where they come from, how they are split, and labels spoilt on purpose; knows no torch."""

from fleet_sim.data.dataset import Dataset
from fleet_sim.data.load import load
from fleet_sim.data.spec import DataSpec

__all__ = ["DataSpec", "Dataset", "load"]
