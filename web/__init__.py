"""The doors of Sigap: pages, routes, sockets and the command line."""
