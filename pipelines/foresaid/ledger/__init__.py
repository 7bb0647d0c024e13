"""The pre-registration ledger: entries, the transparency log, the state of every forecast, and verification.

May import the top files alone: the ledger outlives the program that fills it.
"""
