"""Proper scoring rules, calibration and significance tests, on arrays; and the quantile levels forecasts are stated at.

May import the top files.
"""
