"""The stages of dvc.yaml, one file a stage of the same name, each with one `run`.

May import every room up to `report`.
"""
