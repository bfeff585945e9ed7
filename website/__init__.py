"""The generated parts of the documentation: the gallery, the references, the pages' numbers."""
