"""What the scripts of Fusion Studio and DaVinci Resolve share: the program, and a window."""
