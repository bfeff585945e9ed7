"""What the documentation site is made of beside its pages: the gallery and the references."""
