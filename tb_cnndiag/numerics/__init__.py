"""Pure functions on arrays. Kernels are ``(units, fan_in)``, activations are ``(samples, units)``."""
