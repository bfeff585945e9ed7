"""Frames as films: how they are encoded, one module a format, and the captions beside them.

Here belong what is written frame by frame. Which formats there are stands in
``grokviz.media.formats``; how frames are drawn, in ``grokviz.media.painter``.
"""
