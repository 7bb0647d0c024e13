"""How good forecasts were: hindcasts, rolling origins, scores of the ledger, and the tables of scores.

May import every room above it in this list: the top files to `ledger`.
"""
