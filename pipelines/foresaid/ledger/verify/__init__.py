"""Verification of a whole ledger, check by check.

May import the top files and `ledger`.
"""
