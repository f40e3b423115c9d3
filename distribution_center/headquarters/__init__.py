"""The headquarters of several distribution centers: media asset management (claim 3). It knows centers by messages."""
