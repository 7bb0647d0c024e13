"""Forecasts: laws and baselines to predictive distributions."""
