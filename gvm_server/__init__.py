"""The server: it holds the model, mattes windows of frames and writes EXR alphas."""
