"""DaVinci Resolve Studio: mattes of clips into the media pool, and before a render."""
