"""The C++ headers that are generated from the Python declaration are current."""

from __future__ import annotations

import importlib.util

from tests.support.tree import ROOT

MAKER = ROOT / "plugin_host" / "make_tables.py"


def test_the_headers_say_what_python_says():
    """Run `python plugin_host/make_tables.py` after a change of a bound, setting or message."""
    spec = importlib.util.spec_from_file_location("make_tables", MAKER)
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    for path, text in maker.headers().items():
        assert path.read_text(encoding="utf-8") == text, path.name
    assert set(maker.GENERATED.iterdir()) == set(maker.headers())
