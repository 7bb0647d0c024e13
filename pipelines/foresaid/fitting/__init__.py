"""What a law is, and how it is fitted: batched robust least squares, the bootstrap, imputation, the fit and the frozen curve.

May import the top files and `registry` (views).
"""
