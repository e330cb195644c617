"""`gvm farm`: jobs for render farms."""
