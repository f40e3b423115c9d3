"""The data plane: schedule, buffers and sockets of what is sent."""
