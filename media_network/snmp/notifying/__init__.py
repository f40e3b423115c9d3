"""Those who are told: a queue with an end, and a worker in which pysnmp tells them."""
