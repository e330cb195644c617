"""`gvm matte`: options to a request, a job to lines and an exit code."""
