"""Our own emergence experiment: training, fine-tuning, fitting, scoring.

May import every room up to `evaluation`.
"""
