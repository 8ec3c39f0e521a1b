"""Where results may go."""

from pathlib import Path

import pytest

from fleet_sim.basics.errors import UserError
from fleet_sim.report.folder import check_place, new_folder_name


def test_a_file_is_no_place_for_results(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for out in (file, file / "below"):
        with pytest.raises(UserError, match="not a folder that can be written in"):
            check_place(out)
    check_place(tmp_path / "not" / "yet")
    assert not list(tmp_path.glob("[!f]*"))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="the folder that not even root can write in")
def test_permission_to_write_is_not_enough() -> None:
    with pytest.raises(UserError, match="--out /proc/x: /proc is not a folder that can be written in"):
        check_place(Path("/proc/x"))


def test_two_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    for _ in range(3):
        new_folder_name(tmp_path, "x").mkdir()
    assert len(list(tmp_path.iterdir())) == 3
