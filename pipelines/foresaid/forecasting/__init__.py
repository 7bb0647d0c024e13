"""From a curve to a predictive distribution: prediction, interval recalibration, combination, baselines, splits, leakage checks.

May import the top files, `scoring`, `registry`, `fitting` and `laws`.
"""
