"""Display of files, scenes and runs in notebooks, without their knowledge.

This package generates HTML for objects and registers it with IPython. The packages below write
files.
"""
