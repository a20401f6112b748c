"""The lesson: what a foundation model is, on a network small enough to watch."""
