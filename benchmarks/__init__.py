"""The figures that CONTRIBUTING and the docs name, each printed by a module of its own."""
