"""Images that show what units look for and why a class was predicted: gradients of a model by its input."""
