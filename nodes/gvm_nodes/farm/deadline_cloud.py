"""A job bundle of AWS Deadline Cloud: a template, its values, and the files to be carried.

The files are named one by one: a folder would be carried whole, old mattes and other frames too.
All is JSON text, which YAML includes, so that no name is taken for a number or a truth value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gvm_nodes.farm import openjd
from gvm_nodes.farm.job import FarmJob


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedFiles:
    """What the tasks read, absolute.

    Attributes:
        files: files.
        folders: folders whose content nobody can list: those that a plate's command names.
    """

    files: Sequence[str]
    folders: Sequence[str] = ()


def bundle(job: FarmJob, carried: CarriedFiles) -> Mapping[str, str]:
    """Return the text of each file of the bundle, by its name."""
    values = [
        {"name": name, "value": value} for name, value in openjd.parameter_values(job).items()
    ]
    outputs = [job.matte_folder, *([job.plate_folder] if job.plate_command else [])]
    references = {
        "inputs": {"filenames": sorted(carried.files), "directories": sorted(carried.folders)},
        "outputs": {"directories": sorted(set(outputs))},
        "referencedPaths": [],
    }
    return {
        "template.yaml": as_text(openjd.template(job, listed=True)),
        "parameter_values.yaml": as_text({"parameterValues": values}),
        "asset_references.yaml": as_text({"assetReferences": references}),
    }


def as_text(value: object) -> str:
    """Return a document as JSON text."""
    return json.dumps(value, indent=2) + "\n"
