"""Opening other people's files: nothing in them is ever run, no size in them is believed."""
