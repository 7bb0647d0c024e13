"""How well the capability law forecasts releases it has not seen, beside baselines that are told the same.

May import every room up to `evaluation`.
"""
