"""Curves of a person's own: a folder of CSV files, each curve's largest rows forecast from its smaller ones.

May import every room up to `evaluation`.
"""
