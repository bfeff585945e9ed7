"""Measures of modular addition (arXiv:2301.05217): what its algorithm is made of, epoch by epoch.

"Key frequencies" are those of the last checkpoint, and so are the neurons' clusters; every
earlier checkpoint is measured with them, as in the paper.
"""
