"""What makes the GVM engine's results here: the device, the types and the paths that it will take.

On the CPU nothing heavy is loaded for it; a GPU has to be asked for its name.
"""

from __future__ import annotations

from pathlib import Path

from gvm_server.matting.engines.device import resolved_device
from gvm_server.matting.engines.gvm.options import GvmOptions, resolve
from gvm_server.matting.engines.gvm.reading import read_config
from gvm_server.matting.engines.maker import Maker, host_maker, torch_maker


def gvm_maker(folder: Path, options: GvmOptions) -> Maker:
    """Return the maker of the engine that these weights and options make.

    Raises:
        EngineError: the checkpoint's configs cannot be read, or the device is not there.
    """
    unet_folder = Path(options.unet) if options.unet else None
    vae = read_config(folder, unet_folder).vae
    device = resolved_device(options.device)
    resolved = resolve(device.partition(":")[0], options, vae)
    return (
        *host_maker(),
        *torch_maker(device),
        ("unet", resolved.unet.value),
        ("vae", resolved.vae.value),
        ("channels last", str(resolved.channels_last)),
        ("compiled by", options.compile_backend),
    )
