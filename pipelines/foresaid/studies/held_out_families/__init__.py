"""Forecasts of model families that were held out whole.

May import every room up to `evaluation`.
"""
