"""Fusion Studio and DaVinci Resolve: menu scripts with a window, in a process of their own."""
