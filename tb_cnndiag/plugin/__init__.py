"""The TensorBoard plugin and its loader."""
