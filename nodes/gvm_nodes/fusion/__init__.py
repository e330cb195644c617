"""The name by which installed menu scripts and farms call `gvm_nodes.blackmagic.fusion`."""
