"""What is computed of modular addition's arrays: each formula once, whoever measures with it."""
