"""RTSP 1.0 (RFC 2326) in front of pushed streams: docs/protocols/rtsp.md."""
