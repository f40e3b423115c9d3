"""The commands of the backplane, a file a group: what request and answer look like on the wire."""
