"""Pure functions on arrays: kernels are ``(units, fan_in)``, activations ``(samples, units)``."""
