"""The only code that knows Keras models: which layers, what they hold, what they do."""
