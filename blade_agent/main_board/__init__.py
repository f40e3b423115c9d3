"""The main board of a blade: the media director's or a media engine's function, as the chassis manager assigns it."""
