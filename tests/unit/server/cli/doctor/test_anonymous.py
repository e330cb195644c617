"""Names leave texts, what a question needs stays."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gvm_server.cli.doctor.anonymous import Anonymous

HOME = Path("/home/kim")
SECRET = "SECRETSHOW"


@pytest.fixture
def names() -> Anonymous:
    """Of the user kim, on render07."""
    return Anonymous(
        home=HOME,
        places=[HOME / ".nuke", Path("/run/user/1000/gvm"), Path("/srv/gvm cache")],
        users=["kim", "Kim Lee"],
        machines=["render07"],
        secrets=["Zk}8$+mQ-a.key"],
    )


@pytest.mark.parametrize(
    "text",
    [
        "The plate /shows/SECRETSHOW/ab010/plate.%04d.exr is cut short.",
        "/shows/SECRETSHOW",
        "plate '/shows/My SECRETSHOW/a b.exr' is empty",
        "the file /shows/My SECRETSHOW/a SECRETSHOW b.1001.exr cannot be opened",
        "/mnt/x: /SECRETSHOW/y",
        "OCIO=/shows/SECRETSHOW/config.ocio",
        "at file:///shows/SECRETSHOW/a.exr",
        "SECRETSHOW_ab010.0001.exr",
        "seq/SECRETSHOW/ab010.####.dpx",
        "~/SECRETSHOW/plate.mov and ~kim/SECRETSHOW/x",
        "/home/kim/SECRETSHOW/plate.mov",
        "/home/other/SECRETSHOW/.nuke",
        "//server/SECRETSHOW/plate",
        r"C:\jobs\SECRETSHOW\comp.nk",
        r"\\server\SECRETSHOW\comp.nk",
        "(see /shows/SECRETSHOW/a.exr), [/shows/SECRETSHOW/b.exr]",
        "/usr/bin/python3 /shows/SECRETSHOW/comp.py",
        "/usr/bin/python3 reads ab SECRETSHOW/plate.exr",
        "/home/kim/.nukeSECRETSHOW/x",
        "https://git.SECRETSHOW.com/repo",
        "https://user:pw@SECRETSHOW/repo",
        'says "/shows/SECRETSHOW/out dir"',
        "'/shows/x/../SECRETSHOW'",
        "/home/kim/.nuke/../SECRETSHOW",
        "HF_TOKEN=SECRETSHOW",
        '"HF_TOKEN": "SECRETSHOW"',
        "env MY_API_KEY=SECRETSHOW gvm serve",
        "gvm --auth-token SECRETSHOW",
        '["--password", "SECRETSHOW"]',
        "Authorization: Bearer SECRETSHOW",
        "postgres://kim:SECRETSHOW@localhost/db",
        "got hf_SECRETSHOWabc",
    ],
)
def test_what_nobody_needs_goes(names: Anonymous, text: str):
    """Whatever way a log writes it."""
    assert SECRET not in names.text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/home/kim/.nuke/gvm/init.py", "<home>/.nuke/gvm/init.py"),
        ("~/.nuke/gvm", "<home>/.nuke/gvm"),
        ("HOME is /home/kim.", "HOME is <home>."),
        ("/usr/lib/libc.so.6: no GLIBC_2.38", "/usr/lib/libc.so.6: no GLIBC_2.38"),
        ('in "/srv/gvm cache/frames"', 'in "/srv/gvm cache/frames"'),
        ("/run/user/1000/gvm/server.log", "/run/user/1000/gvm/server.log"),
        ("frame 3/4, window 1/2", "frame 3/4, window 1/2"),
        ("Kim on render07.local", "<user> on <machine>.local"),
        ("KIM_v02 by kim.lee", "<user>_v02 by <user>.lee"),
        ("skimming kimono", "skimming kimono"),
        ("by Kim Lee", "by <user>"),
        ("key Zk}8$+mQ-a.key!", "key <secret>!"),
        ("ocio://default", "ocio://default"),
        ("https://huggingface.co/geyongtao/gvm", "https://huggingface.co/geyongtao/gvm"),
        ("a.exr then b.exr, a.exr", "<name-1>.exr then <name-2>.exr, <name-1>.exr"),
        ("/a/x.exr /b/y.ofx /a/x.exr", "<path-1>.exr <path-2>.ofx <path-1>.exr"),
        ("OFX_PLUGIN_PATH=/home/kim/.nuke:/s/t", "OFX_PLUGIN_PATH=<home>/.nuke:<path-1>"),
        ("", ""),
    ],
)
def test_what_a_question_needs_stays(names: Anonymous, text: str, expected: str):
    """The program's and the system's paths, numbers that tell paths apart, and words."""
    assert names.text(text) == expected


def test_json_keeps_its_shape(names: Anonymous):
    """Texts at any depth; numbers, booleans and names of fields are left alone."""
    said = {"jobs": [{"plate": "/shows/My SECRETSHOW x", "done": 3}], "note": "kim", "on": True}
    assert names.value(said) == {
        "jobs": [{"plate": "<path-1>", "done": 3}],
        "note": "<user>",
        "on": True,
    }


@pytest.mark.parametrize(
    "piece", ["/SECRETSHOW and ", "a/", "/a b", "x", "token", "--token", "'/", "a.", "http"]
)
def test_a_log_of_long_lines_is_cut_and_quick(names: Anonymous, piece: str):
    """A log may hold a line of a megabyte, or many of what looks like the start of a name."""
    began = time.monotonic()
    assert len(names.text(piece * 200_000)) < 5000
    names.text((piece * (3900 // len(piece)) + "\n") * 20)
    assert time.monotonic() - began < 5


def test_without_a_home_folder(names: Anonymous):
    """A container's user has none; `~` is then nobody's."""
    assert SECRET not in Anonymous(home=None).text("~/SECRETSHOW/a.exr, /root/SECRETSHOW")
