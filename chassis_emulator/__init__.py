"""A media station on a laptop: the environment of real blade agents, which it composes and never imitates."""
