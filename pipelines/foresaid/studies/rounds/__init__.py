"""A round of forecasts from its file and the record: which questions, which forecasts by which method, and how they look.

May import every room up to `evaluation`, and the studies whose forms it asks.
"""
