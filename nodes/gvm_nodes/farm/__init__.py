"""Jobs for render farms, as pure text: each farm's own form, in a file of its name."""
