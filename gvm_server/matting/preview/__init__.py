"""The preview engine: a small embedded person-segmentation network for any machine."""
