"""OpenCue's pyoutline 1.37 as an outline script sees it: it checks nothing and writes the job.

What is written is what `outline/backend/cue.py` there writes, without facility, user and mail.
`tests/unit/nodes/farm/test_opencue.py` compares it with the real one's, where that is installed.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET


class Shell:
    """A layer that runs a command."""

    def __init__(self, name: str, **args: Any) -> None:
        self.name = name
        self.args = args
        self.outputs: dict[str, str] = {}
        self.depends: list[Shell] = []

    def add_output(self, name: str, path: str) -> None:
        self.outputs[name] = path

    def depend_all(self, layer: Shell) -> None:
        self.depends.append(layer)


class Outline:
    """A job."""

    def __init__(self, name: str, show: str | None = None, shot: str | None = None) -> None:
        self.name = name
        self.show = show or "testing"
        self.shot = shot or "default"
        self.layers: list[Shell] = []

    def add_layer(self, layer: Shell) -> None:
        self.layers.append(layer)


def specification(script: str) -> ET.Element:
    """Run an outline script and return the job that it launches."""
    launched: list[Outline] = []

    def launch(job: Outline, *, use_pycuerun: bool = True) -> None:
        assert not use_pycuerun, "the wrapper is not there on the farm"
        launched.append(job)

    names = ("outline", "outline.cuerun", "outline.modules", "outline.modules.shell")
    modules = {name: ModuleType(name) for name in names}
    for name, module in modules.items():
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(modules[parent], own, module)
    modules["outline"].Outline = Outline
    modules["outline.cuerun"].launch = launch
    modules["outline.modules.shell"].Shell = Shell
    hidden = {name: sys.modules.get(name) for name in names}
    sys.modules.update(modules)
    try:
        exec(compile(script, "outline.py", "exec"), {"__name__": "__main__"})
    finally:
        for name, module in hidden.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    (job,) = launched
    return _written(job)


def _written(job: Outline) -> ET.Element:
    root = ET.Element("spec")
    _add(root, "show", job.show)
    _add(root, "shot", job.shot)
    about = ET.SubElement(root, "job", name=job.name)
    layers = ET.SubElement(about, "layers")
    depends = ET.SubElement(root, "depends")
    for layer in job.layers:
        _write_layer(ET.SubElement(layers, "layer", name=layer.name, type="Render"), layer)
        for on in layer.depends:
            depend = ET.SubElement(depends, "depend", type="LAYER_ON_LAYER", anyframe="False")
            _add(depend, "depjob", job.name)
            _add(depend, "deplayer", layer.name)
            _add(depend, "onjob", job.name)
            _add(depend, "onlayer", on.name)
    return root


def _write_layer(element: ET.Element, layer: Shell) -> None:
    args = dict(layer.args)
    _add(element, "cmd", " ".join(args.pop("command")))
    _add(element, "range", args.pop("range"))
    _add(element, "chunk", str(args.pop("chunk")))
    if "cores" in args:
        _add(element, "cores", f"{float(args.pop('cores')):0.1f}")
    if "threadable" in args:
        _add(element, "threadable", "True" if args.pop("threadable") else "False")
    for name in ("memory", "gpus", "gpu_memory", "timeout"):
        if name in args:
            _add(element, name, str(args.pop(name)))
    if "tags" in args:
        _add(element, "tags", " | ".join(args.pop("tags")))
    if "limits" in args:
        limits = ET.SubElement(element, "limits")
        for limit in args.pop("limits"):  # a text would be a limit for each of its letters
            _add(limits, "limit", limit)
    environment = ET.SubElement(element, "env")
    for name, value in args.pop("env", {}).items():
        ET.SubElement(environment, "key", name=name).text = value
    _add(ET.SubElement(element, "services"), "service", "shell")
    outputs = ET.SubElement(element, "outputs")
    for name, path in layer.outputs.items():
        ET.SubElement(outputs, "output", name=name).text = path
    assert not args, f"pyoutline would drop {sorted(args)} in silence"


def _add(root: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(root, tag).text = text
