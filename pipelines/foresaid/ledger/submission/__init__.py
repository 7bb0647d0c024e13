"""Forecasts that people bring: stated in the unit of the target, read from a file or a command line, judged without a key.

May import the top files and `ledger`.
"""
