"""Which models to evaluate next, for the most information.

May import every room up to `evaluation`.
"""
