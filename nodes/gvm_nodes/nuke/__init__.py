"""The Nuke node: a Group that Python builds; everything here is loaded inside Nuke only."""
