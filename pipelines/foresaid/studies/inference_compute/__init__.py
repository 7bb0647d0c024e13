"""Accuracy against samples and tokens spent at inference.

May import every room up to `evaluation`.
"""
