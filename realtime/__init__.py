"""Telling the world: channels, sockets and the wire protocol, knowing nothing of dispatching."""
