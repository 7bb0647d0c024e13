"""The entries of a batch: their types, fields, and the rules between them.

May import the top files and `ledger`.
"""
