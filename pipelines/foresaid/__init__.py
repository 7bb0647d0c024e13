"""Foresaid: said beforehand, on the record.

A data-versioned forecasting registry for language-model capability, with a pre-registration ledger.
"""

__version__ = "0.1.0"
