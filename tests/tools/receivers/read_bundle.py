"""Read a job bundle as AWS Deadline Cloud's client does; print what it would send, as JSON.

`inputs` are the files that go up: those of folders too.
"""

import json
import sys
from pathlib import Path

from deadline.client.job_bundle.loader import (
    read_yaml_or_json_object,
    validate_directory_symlink_containment,
)
from deadline.client.job_bundle.parameters import apply_job_parameters, read_job_bundle_parameters
from deadline.client.job_bundle.submission import AssetReferences, split_parameter_args

folder = sys.argv[1]
validate_directory_symlink_containment(folder)
listed = read_yaml_or_json_object(folder, "asset_references", required=False)
references = AssetReferences.from_dict(listed)
parameters = read_job_bundle_parameters(folder)
apply_job_parameters([], folder, parameters, references)
_, sent = split_parameter_args(parameters, folder)
below = [
    str(file)
    for place in references.input_directories
    for file in Path(place).rglob("*")
    if file.is_file()
]
print(
    json.dumps(
        {
            "parameters": sent,
            "inputs": sorted({*references.input_filenames, *below}),
            "outputs": sorted(references.output_directories),
            "referenced": sorted(references.referenced_paths),
        }
    )
)
