"""A folder of photographs, at 256 pixels a side, goes from training to a report like any other images."""

import io
import json
from pathlib import Path

from photographs import write_photographs
from rich.console import Console

from fleet_sim.report.view import View
from fleet_sim.run import run
from fleet_sim.scenario import Scenario


def test_a_folder_of_large_images_runs_from_training_to_report(tmp_path: Path) -> None:
    write_photographs(tmp_path / "photos", a_class=12)
    scenario = Scenario.model_validate(
        {
            "name": "large",
            "duration_us": "10 s",
            "audit": 0.2,
            "data": {"source": "folder", "path": tmp_path / "photos", "image_size": 256},
            "codec": {"wavelet_levels": 3, "depth": "deep", "width": 4, "neurons": 16, "batch": 8},
            "train": {
                "e2e": {"epochs": 2, "batch": 16, "learning_rate": 0.05},
                "duphil": {"epochs": 1, "batch": 32, "learning_rate": 0.01, "features": 16},
                "head_training": {"epochs": 2, "batch": 16},
                "heads": [{"name": "ce", "kind": "ce"}],
            },
            "camera": {"device": "board"},
            "fleet": {
                "cameras": 8,
                "cells": 2,
                "groups": [{"name": "foggy", "share": 1, "sees": [{"look": "fog"}]}],
            },
            "link": {"profile": "lte-m", "buffer_bytes": 65_536},
            "cluster": {"backend": "local"},
            "sweep": {"camera.codec": ["latent", "jpeg"]},
        }
    )
    folder = run(scenario, tmp_path / "runs", View(Console(file=io.StringIO())))
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["complete"]
    assert summary["audit"]["checked"] > 0
    most_bpp = {rung["head"]: rung["bpp_payload"] for rung in summary["ladder"]}  # of the top level
    # Latents of 16 values take some bytes whatever the size of the image, pictures do not.
    assert most_bpp["ce"] < 16 * 16 / 256**2
    assert most_bpp["ce, jpeg"] > 0.1
    for point in summary["points"]:
        assert point["frames_answered"] > 0
        assert point["energy"]["picojoules"]["compute"] > 0
    assert "</html>" in (folder / "report.html").read_text()
