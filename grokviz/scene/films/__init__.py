"""What manim scenes are made with; only ``context`` can be imported without manim."""
