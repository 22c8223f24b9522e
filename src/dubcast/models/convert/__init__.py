"""Makes what the run time loads out of published models: once, when they are pulled.

Imported by the pull alone; needs the package `onnx` (the extra `models`).
"""
