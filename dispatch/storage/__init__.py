"""Where a city's state and its log are kept."""
