"""A region of interest through the command line: its matte, its words, its exit codes."""

from __future__ import annotations

import OpenImageIO as oiio

from tests.support.plates import read_alpha, write_plate

ROI = "16,10,24,16"


def _attributes(path):
    image = oiio.ImageInput.open(str(path))
    spec = image.spec()
    image.close()
    return {name: spec.getattribute(name) for name in ("gvm:roi", "gvm:roi-scale", "gvm:roi-cut")}


def test_a_region_is_matted_alone_and_a_subject_that_it_cuts_is_said(site, tmp_path):
    """Delivered, with its sides in the event, the file and the end; 1 where that is asked for."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = site.matte(plate, "out", "--roi", ROI)
    assert ran.code == 0, ran.stderr
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    notes = " ".join(accepted["notes"])
    assert "24x16" in notes
    assert "of the whole frame's work" in notes
    path = tmp_path / "out" / "plate.0002.exr"
    alpha = read_alpha(path)
    assert alpha[10:26, 16:40].max() > 0.1
    said = _attributes(path)
    assert said["gvm:roi"] == ROI
    assert said["gvm:roi-cut"]
    assert "the subject is cut there" in " ".join(ran.done["notes"])
    for folder, count in (("out", "frames_kept"), ("elsewhere", "frames_written")):
        again = site.matte(plate, folder, "--roi", ROI, "--strict-roi")
        assert again.code == 1
        (done,) = [event for event in again.events if event["type"] == "done"]
        assert (done[count], done["windows_run"]) == (3, 0)
        cuts = {event["roi_cut"] for event in again.events if event["type"] == "frame_ready"}
        assert cuts == {said["gvm:roi-cut"]}


def test_a_region_that_holds_nothing_s_border_ends_with_0(site, tmp_path):
    """The whole frame as a region cuts nothing: the picture ends there."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = site.matte(plate, "out", "--roi=-10,-10,5000,5000", "--strict-roi")
    assert ran.code == 0, ran.stderr
    assert not _attributes(tmp_path / "out" / "plate.0002.exr")["gvm:roi-cut"]


def test_regions_that_cannot_be_are_refused_before_anything_runs(site, tmp_path):
    """Exit 2, with the values and the cuts."""
    plate = write_plate(tmp_path / "plate", range(1, 9))
    for words, says in (
        (("--roi", "9000,0,10,10"), "outside the picture"),
        (("--roi", "0,0,0,10"), "width of 0"),
        (("--roi", "3:0,0,10,10", "--cut", "5"), "5"),
        (("--roi", "0,0,10,10", "--roi-scale", "5"), "from 1 to 4"),
    ):
        ran = site.matte(plate, "out", *words)
        assert ran.code == 2, (words, ran.stderr)
        assert says in ran.stderr + ran.stdout, words
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
