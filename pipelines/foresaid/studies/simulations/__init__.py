"""Simulation studies of laws for which no real data are public: one file a law, found by the law's name.

A file has `study(law, seed, replicates)`: it plants parameters, fits what was simulated with the engine every law uses, and says
how often the fit finds them again. The stage `fit` asks for it; the law knows nothing of it.

May import every room up to `evaluation`.
"""
