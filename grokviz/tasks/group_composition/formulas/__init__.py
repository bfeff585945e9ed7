"""Groups, their representations and cosets, and what a network has of them."""
