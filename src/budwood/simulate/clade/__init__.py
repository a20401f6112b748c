"""Synthetic clades: species along a tree with known orthologs, lines and traits of each."""
