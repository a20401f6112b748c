"""Accuracy with no or few target phenotypes, beside models that see the target alone."""
