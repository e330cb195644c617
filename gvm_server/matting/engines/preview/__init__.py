"""The preview engine: a small embedded person-segmentation network for any machine."""

from gvm_server.matting.engines.preview.engine import info

__all__ = ["info"]
