"""Readers of result formats that many publishers share: lm-evaluation-harness files, Every Eval Ever records.

May import the top files.
"""
