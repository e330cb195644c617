"""Jobs for render farms, as pure text: OpenJD templates, Deadline job files, OpenCue outlines."""
