"""Speed and memory, side by side against what a user would pick instead."""
