"""The generated parts of the documentation site: the gallery and the references."""
