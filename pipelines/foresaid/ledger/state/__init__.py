"""What follows from the entries: which version of a forecast counts, and what became of each.

May import the top files and `ledger`.
"""
