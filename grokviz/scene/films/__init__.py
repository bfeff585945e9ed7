"""What manim scenes are made with; only ``showing`` can be imported without manim."""
