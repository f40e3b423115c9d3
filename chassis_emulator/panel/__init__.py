"""The front panel: one web page that shows every chassis of the network as a chassis, live, and takes orders."""
