"""The media console: the claims' client. It asks a media director for a program and receives it, segment by segment.

`hls.play_hls` fetches each segment from the engine the director redirects it to; `push.play_push` has the stream sent
to it by UDP and handed over from engine to engine.
"""
