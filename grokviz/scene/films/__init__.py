"""The toolkit of manim scenes; only ``context`` can be imported without manim."""
