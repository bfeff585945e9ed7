"""How files and scenes show themselves in notebooks; what is shown knows nothing of it.

Here belong the HTML of our objects and its registration with IPython. Whatever writes a file is
for the packages below.
"""
