"""The server: it holds the model, mattes windows of frames and writes EXR alphas."""

from gvm_server.telemetry import refuse_telemetry

refuse_telemetry()  # before anything of ours imports a library
