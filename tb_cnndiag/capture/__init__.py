"""The only code that handles Keras models: it finds layers, reads their weights and records their activations."""
