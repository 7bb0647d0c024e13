"""The record: CSV files under git, their schema and checks, model names, updates, the database, views as of a date, export.

May import the top files and `sources`.
"""
