"""Shipping a trained model: one file for PyTorch, ONNX Runtime or OpenVINO, checked against the network that it came from."""
