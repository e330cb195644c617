"""The preview engine: a small embedded person-segmentation network for any machine."""

from gvm_server.matting.preview.engine import info

__all__ = ["info"]
