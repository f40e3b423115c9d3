"""Who is in service, who directs, who gets how much power and air."""
