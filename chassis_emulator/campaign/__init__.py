"""A network of real processes that are killed, stopped, ended and pulled out, and what must hold in the calm after."""
