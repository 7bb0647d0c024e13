"""What pre-training is worth to a task: alignment, fine-tuning size, and a score beside a loss.

May import every room up to `evaluation`.
"""
