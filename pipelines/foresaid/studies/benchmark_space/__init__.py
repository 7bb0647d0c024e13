"""The principal-component space of benchmarks, and the fit as the paper's authors made it.

May import every room up to `evaluation`.
"""
