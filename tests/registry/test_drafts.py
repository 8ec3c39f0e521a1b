"""Drafts of publishers that died are cleared, those of publishers at work are not."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from fleet_sim.registry import Registry
from fleet_sim.registry.drafts import clear_drafts, draft, drafts

FILES = {"weights": {"w": np.arange(3.0)}}


def hang_in_a_draft(root: Path, started: Connection) -> None:
    with draft(root) as place:
        place.mkdir()
        (place / "half").write_bytes(b"x")
        started.send("drafting")
        signal.pause()


def test_a_draft_is_cleared_once_its_publisher_is_dead(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    version = registry.publish("head", {}, FILES)
    here, there = multiprocessing.Pipe()
    publisher = multiprocessing.get_context("fork").Process(target=hang_in_a_draft, args=(tmp_path, there))
    publisher.start()
    here.recv()
    cleared: list[int] = []
    clearing = threading.Thread(target=lambda: cleared.append(clear_drafts(tmp_path)))
    clearing.start()
    clearing.join(0.3)
    assert clearing.is_alive()  # it waits for who is at work
    assert len(drafts(tmp_path)) == 1
    assert publisher.pid is not None
    os.kill(publisher.pid, signal.SIGKILL)
    publisher.join()
    clearing.join(30)
    assert cleared == [1]
    assert drafts(tmp_path) == []
    assert [found.id for found in registry.list()] == [version]


def test_files_and_links_go_as_folders_do_and_what_a_link_names_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    root = tmp_path / "models"
    root.mkdir()
    with draft(root) as file, draft(root) as link, draft(root) as folder:
        file.write_bytes(b"signature")
        link.symlink_to(kept)
        folder.mkdir()
    assert clear_drafts(root) == 3
    assert drafts(root) == []
    assert kept.is_dir()
    assert clear_drafts(root) == 0
