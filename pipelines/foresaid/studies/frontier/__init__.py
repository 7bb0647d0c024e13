"""How well laws forecast the frontier of a benchmark (best published value by a day), on cut-offs of the past.

May import every room up to `evaluation`.
"""
