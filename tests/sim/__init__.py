"""The deterministic simulation: the real program against the sandbox's servers, without sockets."""
