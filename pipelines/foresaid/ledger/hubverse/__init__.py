"""The ledger as a Hubverse hub, and another hub's files as entries of the ledger.

May import the top files and `ledger`: a hub is one more spelling of the ledger's own entries, and needs neither laws nor record.
"""
