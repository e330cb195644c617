"""The GVM engine: the released checkpoint, run exactly and in bounded memory."""
